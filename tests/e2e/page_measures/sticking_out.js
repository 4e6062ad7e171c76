// Returns what reaches beyond the window's edge or is cut off, but for what lies in a box that scrolls by itself.
const page = document.documentElement;
const found = page.scrollWidth > page.clientWidth ? [`the page: ${page.scrollWidth} of ${page.clientWidth} px`] : [];
for (const element of document.querySelectorAll("body *")) {
  if (!element.closest(".scroll > *") && element.getBoundingClientRect().right > page.clientWidth + 0.5) {
    found.push(element.outerHTML.slice(0, 80));
  }
  if (getComputedStyle(element).overflowX === "hidden" && element.scrollWidth > element.clientWidth) {
    found.push(`cut off: ${element.outerHTML.slice(0, 80)}`);
  }
}
return found;
