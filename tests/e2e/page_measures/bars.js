// Returns for each bar, by its label, where each part begins and how long it is, as shares of the bar on the screen.
const bars = {};
for (const bar of document.querySelectorAll("svg.bar")) {
  const whole = bar.getBoundingClientRect();
  const parts = {};
  for (const part of bar.querySelectorAll("rect:not(.track)")) {
    const box = part.getBoundingClientRect();
    parts[part.getAttribute("class")] = [(box.left - whole.left) / whole.width, box.width / whole.width];
  }
  bars[bar.getAttribute("aria-label")] = parts;
}
return bars;
