// One iteration as a row for the workbook: to copy, to download, or to select by hand.

// JavaScript's shortest spelling that reads back as the same double.
function exactText(value) {
  return Number.isFinite(value) ? String(value) : OVERFLOW_TEXT;
}

function rowText(row, columns) {
  return columns.map(name => exactText(row[name])).join("\t");
}

async function copyRow(area, say) {
  try {
    await navigator.clipboard.writeText(area.value);
    say("Copied.");
  } catch {
    area.focus();
    area.select();
    say(document.execCommand("copy") ? "Copied." : "The browser does not let the page copy. The row is selected: copy it with the keyboard.");
  }
}

function downloadRow(text, iteration) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/tab-separated-values" }));
  link.download = `iteration-${iteration}.tsv`;
  link.click();
  // The browser needs the address until it has read it all.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
