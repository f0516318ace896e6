// Draws a figure when it comes into sight, in the colours of the page; all of them, in light ones, for print.
function drawAll(templates) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const places = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  function draw(place, template) {
    const { data, layout } = JSON.parse(place.querySelector("script").textContent);
    let target = place.querySelector(".drawn");
    if (!target) {
      target = document.createElement("div");
      target.className = "drawn";
      place.append(target);
    }
    Plotly.react(target, data, { ...layout, template }, config);
    drawn.add(place);
  }
  const inSight = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          inSight.unobserve(target);
          draw(target, templates[Number(dark.matches)]);
        }
      }
    },
    { rootMargin: "800px 0px" },
  );
  places.forEach((place) => inSight.observe(place));
  const again = () => drawn.forEach((place) => draw(place, templates[Number(dark.matches)]));
  dark.addEventListener("change", again);
  addEventListener("beforeprint", () => {
    places.filter((place) => place.closest("details:not([open])") === null).forEach((place) => draw(place, templates[0]));
  });
  addEventListener("afterprint", again);
}
