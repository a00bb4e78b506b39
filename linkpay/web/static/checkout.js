/* The order page works without this. With it a discount code counts without a new page, and a page of the
   seller's own that holds the checkout learns how high it is. */
"use strict";

(() => {
  const live = document.getElementById("live");

  // A discount code: the same form, sent beside the page, whose parts are then put in place.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[name=apply]");
    if (!button || button.dataset.plain) return;
    event.preventDefault();
    const form = button.form;
    const sent = new URLSearchParams(new FormData(form));
    sent.set("apply", "yes");
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(".checkout");
      if (!fresh) throw new Error("no order page");
      document.querySelector(".checkout").replaceWith(fresh);
      const said = fresh.querySelector("#coupon-problem, .coupon .notice p");
      live.textContent = said ? said.textContent : "";
      fresh.querySelector("#coupon").focus();
    } catch {
      button.dataset.plain = "yes";
      form.requestSubmit(button);
    }
  });

  // Within a page of the seller's: only who may hold us, and says hello, is told our height.
  const allowed = (document.body.dataset.parents || "").split(" ").filter(Boolean);
  if (window.parent === window || !allowed.length) return;
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !allowed.includes(event.origin)) return;
    if (!event.data || event.data.linkpay !== "hello") return;
    const tell = () => {
      const height = Math.ceil(document.body.getBoundingClientRect().height);
      window.parent.postMessage({ linkpay: "height", height }, event.origin);
    };
    new ResizeObserver(tell).observe(document.body);
    tell();
  });
})();
