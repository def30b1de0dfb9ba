/** Runs before anything is drawn: the theme that was chosen here, so that the page does not flash. Imports nothing, see bundle.ts. */
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden: then the system's theme it is.
}
