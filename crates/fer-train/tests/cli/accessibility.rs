//! What every page owes those who read it otherwise, or in bad light.

use serde_json::json;

use crate::browser::Browser;

/// Headings that skip no level, alternatives for pictures, cells of tables that know their heads, and
/// references that lead somewhere.
pub(crate) fn it_is_accessible(browser: &mut Browser) {
    let wrong = browser.value(
        "(() => {
          const wrong = [], all = (selector) => [...document.querySelectorAll(selector)];
          let level = 0;
          for (const heading of all('main h2, main h3, main h4, main h5, h1')) {
            const own = Number(heading.tagName[1]);
            if (own > level + 1) wrong.push('a heading skips a level: ' + heading.textContent);
            level = own;
          }
          if (all('h1').length !== 1) wrong.push('not one h1');
          for (const one of all('img')) if (!one.alt) wrong.push('no alternative: ' + one.src.slice(0, 40));
          for (const one of all('[role=img]')) if (!one.ariaLabel) wrong.push('no label: ' + one.outerHTML.slice(0, 80));
          for (const one of all('table:not(.prose table) th')) if (!one.scope) wrong.push('no scope: ' + one.textContent);
          const ids = all('[id]').map(one => one.id);
          if (new Set(ids).size !== ids.length) wrong.push('an id stands twice');
          for (const name of ['aria-labelledby', 'href'])
            for (const one of all('body [' + name + ']'))
              if (!document.getElementById(one.getAttribute(name).replace('#', ''))) wrong.push(name + ' leads nowhere: ' + one.getAttribute(name));
          return wrong; })()",
    );
    assert_eq!(wrong, json!([]));
}

/// The contrast of all texts with what is behind them is at least 4.5, or 3 where they are large or bold
/// numbers of a coloured cell (WCAG 2.2, 1.4.3).
pub(crate) fn text_stands_out(browser: &mut Browser, scheme: &str) {
    let faint = browser.value(
        "(() => {
          const canvas = document.createElement('canvas');
          canvas.width = canvas.height = 1;
          const pen = canvas.getContext('2d', { willReadFrequently: true });
          const paint = (colours) => {
            pen.clearRect(0, 0, 1, 1);
            for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const light = (colour) => {
            const [r, g, b] = colour.map(value => {
              value /= 255;
              return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const grounds = (one) => one ? [...grounds(one.parentElement), getComputedStyle(one).backgroundColor] : ['white'];
          const faint = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const one = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || one.closest('script, style, svg, dialog, .hidden, .skip')) continue;
            const ground = grounds(one);
            const [text, behind] = [light(paint([...ground, getComputedStyle(one).color])), light(paint(ground))];
            const contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
            const least = one.closest('.cell') || parseFloat(getComputedStyle(one).fontSize) >= 24 ? 3 : 4.5;
            if (contrast < least) faint.push(contrast.toFixed(2) + ' ' + one.textContent.trim().slice(0, 40));
          }
          return faint; })()",
    );
    assert_eq!(faint, json!([]), "{scheme}");
}
