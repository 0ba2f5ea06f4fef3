// Draws the page's charts with vegaEmbed, which is bundled with this script.

const charts = JSON.parse(document.getElementById("charts").textContent);
const tip = document.getElementById("tip");

function showTip(_handler, event, _item, text) {
  const words = text && typeof text === "object" ? Object.values(text).join(", ") : text;
  tip.hidden = !words;
  if (!words) return;
  tip.textContent = words;
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  const below = event.clientY + 18;
  const top = below + box.height > innerHeight ? event.clientY - box.height - 12 : below;
  tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
}

async function draw(holder) {
  await vegaEmbed(holder, charts[holder.dataset.chart], {
    mode: "vega",
    renderer: "svg",
    actions: false,
    defaultStyle: false,
    tooltip: showTip,
    loader: { target: "_self" }, // a dot on the map links to the page of its country
  });
  holder.classList.add("drawn");
}

addEventListener("scroll", () => (tip.hidden = true), { passive: true });
addEventListener("keydown", (event) => {
  if (event.key === "Escape") tip.hidden = true;
});

async function drawAll() {
  // One after the other, from the top, so that the page can be read meanwhile.
  for (const holder of document.querySelectorAll("[data-chart]")) await draw(holder);
}
drawAll();
