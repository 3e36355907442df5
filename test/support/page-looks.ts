import type { Page } from 'playwright-core';

export interface Contrast {
  readonly text: string;
  /** As WCAG 2 defines it: 1 to 21. */
  readonly ratio: number;
}

/** The contrast of every piece of text that shows, against what is behind it; the worst first. */
export async function contrasts(page: Page): Promise<readonly Contrast[]> {
  return page.evaluate<Contrast[]>(`(() => {
    const numbers = (color) => {
      const found = /^rgba?\\(([^)]*)\\)$/.exec(color);
      if (found === null) throw new Error('not understood: ' + color);
      return found[1].split(/[ ,/]+/).map(Number);
    };
    const light = (color) => {
      const [r, g, b] = numbers(color).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
      for (let at = node; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        const [, , , alpha = 1] = numbers(color);
        if (alpha === 1) return color;
        if (alpha !== 0) throw new Error('half transparent: ' + color);
      }
      return 'rgb(255, 255, 255)';
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
      const node = text.parentElement;
      if (text.data.trim() === '' || !node.checkVisibility() || node.closest('script, style, .unseen') !== null) continue;
      const [one, other] = [light(getComputedStyle(node).color), light(behind(node))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      found.push({ text: text.data.trim(), ratio });
    }
    return found.sort((one, other) => one.ratio - other.ratio);
  })()`);
}

export interface Accessible {
  readonly role: string;
  readonly name: string;
}

/** What the browser tells a screen reader is there. */
export async function accessibleNodes(page: Page): Promise<readonly Accessible[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: String(role?.value ?? ''), name: String(name?.value ?? '') }));
  } finally {
    await session.detach();
  }
}
