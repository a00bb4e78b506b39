/* Puts a checkout into the page that holds this script, as high as it needs to be:
   <script async src="https://.../embed.js" data-checkout="https://.../site/buy/offer"></script> */
"use strict";

(() => {
  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const address = new URL(script.dataset.checkout, script.src);
  if (address.origin !== home) throw new Error("data-checkout must be an address of " + home);
  for (const name of ["email", "name", "plan", "coupon", "lang"]) {
    if (script.dataset[name]) address.searchParams.set(name, script.dataset[name]);
  }
  address.searchParams.set("embed", "1");

  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || "Checkout";
  frame.style.display = "block";
  frame.style.width = "100%";
  frame.style.border = "0";
  frame.style.height = "40rem";
  script.after(frame);

  const hello = () => frame.contentWindow.postMessage({ linkpay: "hello" }, home);
  frame.addEventListener("load", hello);
  window.addEventListener("message", (event) => {
    if (event.origin !== home || event.source !== frame.contentWindow) return;
    const height = event.data && event.data.linkpay === "height" ? Number(event.data.height) : NaN;
    if (height >= 100 && height <= 20000) frame.style.height = Math.ceil(height) + "px";
  });
})();
