// Invisible: brings rows of a board that was too large to send in one piece.

function show({ data, parentElement }) {
  const root = parentElement.querySelector(".rows");
  if (root.taken === data) return;
  root.taken = data;
  takeRows(data);
}
