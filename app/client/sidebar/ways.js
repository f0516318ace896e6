// Ways to other pages of the app, without loading all anew.

/**
 * Open a page; one step in the browser's history.
 * @param {string} page
 * @param {string} query of its address
 */
export function goTo(page, query) {
  history.pushState(null, "", new URL(query ? `${page}?${query}` : page, document.baseURI));
  // As if the browser had gone back there: then the query stays, which Streamlit's own links drop.
  dispatchEvent(new PopStateEvent("popstate"));
}
