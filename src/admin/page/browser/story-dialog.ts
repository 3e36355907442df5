import { element, textElement } from './elements.ts';
import { attemptLines, storyFacts, type ToldStory } from './story-text.ts';

const ASK_TIMEOUT_MS = 5_000;
/** A story that goes on is asked for again. */
const AGAIN_MS = 2_000;

/** Shows the story of the connection that the address names: `#connection/42`. */
export class StoryDialog {
  readonly #dialog = element('story', HTMLDialogElement);
  readonly #title = element('story-title', HTMLElement);
  readonly #body = element('story-body', HTMLElement);
  #timer: number | undefined;
  #id: string | undefined;

  constructor() {
    this.#dialog.addEventListener('close', () => this.#forget());
    this.#dialog.addEventListener('click', (event) => {
      // On the backdrop: everything inside is on a child, but for the padding.
      if (event.target === this.#dialog && isOutside(this.#dialog, event)) this.#dialog.close();
    });
    addEventListener('hashchange', () => this.#follow());
    this.#follow();
  }

  #follow(): void {
    const id = /^#connection\/(\d{1,15})$/.exec(location.hash)?.[1];
    if (id === undefined) {
      this.#dialog.close();
      return;
    }
    clearTimeout(this.#timer);
    this.#id = id;
    this.#title.textContent = `Connection ${id}`;
    this.#body.replaceChildren(textElement('p', 'asking …', 'quiet'));
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#title.focus();
    void this.#ask(id);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#id = undefined;
    if (location.hash.startsWith('#connection/')) history.replaceState(null, '', location.pathname + location.search);
    // The browser goes back to the link that was followed, but that may have left with its row: then it stays in here.
    const { activeElement } = document;
    if (activeElement === document.body || this.#dialog.contains(activeElement)) {
      element('connections', HTMLElement).focus();
    }
  }

  async #ask(id: string): Promise<void> {
    const told = await askFor(id);
    if (this.#id !== id) return;
    if (typeof told === 'string') {
      this.#body.replaceChildren(textElement('p', told));
      return;
    }
    this.#show(told);
    if (told.state === 'open') this.#timer = setTimeout(() => void this.#ask(id), AGAIN_MS);
  }

  #show(told: ToldStory): void {
    const list = document.createElement('dl');
    for (const [name, value] of storyFacts(told)) list.append(textElement('dt', name), textElement('dd', value));
    const attempts = document.createElement('ol');
    for (const line of attemptLines(told)) attempts.append(textElement('li', line));
    // To be copied: what it leads to is what is shown already.
    const link = document.createElement('a');
    link.href = location.href;
    link.textContent = location.href;
    list.append(textElement('dt', 'Link'), document.createElement('dd'));
    list.lastElementChild?.append(link);
    this.#body.replaceChildren(textElement('p', told.story), attempts, list);
  }
}

/** @returns the story, or a sentence that says why there is none */
async function askFor(id: string): Promise<ToldStory | string> {
  try {
    const response = await fetch(`connections/${id}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as ToldStory) : text.slice(0, 500);
  } catch {
    return 'attache does not answer.';
  }
}

function isOutside(dialog: HTMLElement, { clientX, clientY }: MouseEvent): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
