// Invisible: delivers rows of a board that is too large to send in one piece.

function show({ data, parentElement }) {
  const root = parentElement.querySelector(".rows");
  if (root.taken === data) return;
  root.taken = data;
  takeRows(data);
}
