// Nothing to see: rows of a board that was too large to come in one piece.

function show({ data, parentElement }) {
  const root = parentElement.querySelector(".rows");
  if (root.taken === data) return;
  root.taken = data;
  takeRows(data);
}
