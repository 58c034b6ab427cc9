(() => {
  const unpacked = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  document.querySelectorAll("details.plots").forEach((box) => box.addEventListener("toggle", async () => {
    const frame = box.querySelector("iframe");
    if (!box.open || frame.dataset.shown) return;
    frame.dataset.shown = "yes";
    const packed = document.getElementById("packed-plots");
    if (packed) frame.srcdoc = await unpacked(packed.textContent.trim());
    else frame.src = frame.dataset.src;
  }));
})();
