// What the theme leaves out for people who use a keyboard or a screen reader.
addEventListener("load", () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  const reachable = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap")) reachable.observe(wrap);
});
