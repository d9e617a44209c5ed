"use strict";
// Charts: drawn when they come near the screen, so that a page of many opens at once. Below 700 pixels, panels that
// lie beside each other are put below each other.
const NARROW = 700;

function stack(figure) {
  const axes = Object.keys(figure.layout).filter((name) => /^xaxis\d*$/.test(name)).sort();
  const share = 1 / axes.length;
  axes.forEach((name, place) => {
    const vertical = name.replace("x", "y");
    const top = 1 - place * share;
    figure.layout[name].domain = [0, 1];
    figure.layout[vertical].domain = [top - share * 0.72, top - share * 0.08];
    const title = (figure.layout.annotations || [])[place];
    if (title) {
      Object.assign(title, { x: 0.5, y: top - share * 0.07, yanchor: "bottom" });
    }
  });
  figure.layout.height = 340 * axes.length + 120;
  figure.layout.legend = { orientation: "h", y: -0.06 };
  return figure;
}

function draw(place) {
  const figure = JSON.parse(place.nextElementSibling.textContent);
  const shown = window.innerWidth < NARROW ? stack(figure) : figure;
  Plotly.newPlot(place, shown.data, shown.layout, { responsive: true, displaylogo: false });
}

const seen = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
    seen.unobserve(entry.target);
    draw(entry.target);
  }),
  { rootMargin: "600px" },
);
document.querySelectorAll(".chart").forEach((place) => seen.observe(place));

// Tables: sorted by a click on a heading, by number where the cells begin with one.
function sort(heading) {
  const row = heading.parentElement;
  const column = [...row.children].indexOf(heading);
  const down = heading.getAttribute("aria-sort") === "ascending";
  [...row.children].forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = heading.closest("table").tBodies[0];
  const value = (line) => line.cells[column].textContent;
  const compare = (a, b) => {
    const [x, y] = [parseFloat(value(a)), parseFloat(value(b))];
    return Number.isNaN(x) || Number.isNaN(y) ? value(a).localeCompare(value(b)) : x - y;
  };
  [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(a, b)).forEach((line) => body.append(line));
}
document.querySelectorAll("section th button").forEach((button) => {
  button.addEventListener("click", () => sort(button.parentElement));
});

function markdown(table) {
  const line = (cells) => `| ${[...cells].map((cell) => cell.textContent.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head] = table.tHead.rows;
  const rule = `|${" --- |".repeat(head.cells.length)}`;
  return [line(head.cells), rule, ...[...table.tBodies[0].rows].map((row) => line(row.cells))].join("\n");
}
document.querySelectorAll(".copy").forEach((button) => {
  button.addEventListener("click", async () => {
    const text = markdown(button.parentElement.querySelector("table"));
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      window.prompt("Copy:", text);
    }
  });
});
