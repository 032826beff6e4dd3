// Runs before the page is painted, so that a chosen theme does not flash. Without a choice, the system's preference applies.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("quoth-theme");
  if (chosen) root.dataset.theme = chosen;
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("quoth-theme", root.dataset.theme);
    });
  });
})();
