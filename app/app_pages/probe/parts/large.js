// One part of a model drawn large, baseline beside edited; asked for when it comes into sight.

import { html, useLayoutEffect, useRef, useState } from "../../../client/html.js";
import { Figure } from "../../../client/drawing/figure.js";
import { Choice, Faults, useAnswer } from "../../../client/parts.js";
import { change, condition, frame, question, settled } from "../../../client/store/store.js";

export function Large() {
  const [f, c] = [frame.value, condition.value];
  const place = useRef(/** @type {any} */ (null));
  const [isSeen, setSeen] = useState(false);
  useLayoutEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => setSeen(entry.isIntersecting), { rootMargin: "200px" });
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  const { data, faults } = useAnswer("figure", settled.value && isSeen ? question("state", "on", "large", "token") : undefined);
  const site = f.drawable.includes(c?.large) ? c?.large : f.drawable[0];
  return html`<section class="large" ref=${place}>
    <div class="row">
      <${Choice} label="Drawn large" name="large" value=${site} options=${f.drawable.map((/** @type {string} */ each) => [each, each])} choose=${(/** @type {string} */ large) => change({ large })} />
      ${data?.has_reach && html`<${Choice} label="Receptive field of" name="token" value=${data.seen_from} help="Highlighted: the receptive field of this position."
        options=${f.positions.map((/** @type {any} */ each) => [each.name, each.name])} choose=${(/** @type {string} */ token) => change({ token })} />`}
    </div>
    <${Faults} faults=${faults} />
    <${Figure} figure=${data?.figure} name=${data?.site} />
  </section>`;
}
