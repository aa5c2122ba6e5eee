/** The shop's page: reads where it runs, and opens. */
import { render } from 'preact';
import { readConfig } from './config.ts';
import { chooseLanguage } from './language.ts';
import { pause } from './pause.ts';
import { hrefOf } from './route.ts';
import { Shop } from './shop.ts';
import { ShopProvider } from './shop-context.ts';
import { kept } from './storage.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { Frame } from './views/frame.tsx';

const CONFIG_PATH = 'site.json';
/** What serves the page may be the cloud that has just died. */
const CONFIG_ATTEMPTS = 5;
const CONFIG_PAUSE_MS = 1_000;

async function fetchConfig(attemptsLeft = CONFIG_ATTEMPTS): Promise<unknown> {
  try {
    const response = await fetch(CONFIG_PATH);
    if (response.ok) return await response.json();
    throw new Error(`${CONFIG_PATH}: ${response.status}`);
  } catch (error) {
    if (attemptsLeft <= 1) throw error;
    await pause(CONFIG_PAUSE_MS);
    return fetchConfig(attemptsLeft - 1);
  }
}

/** The bank has sent the customer back: to the order that was being paid. */
function comeBack(): void {
  const order = kept('order');
  if (!new URLSearchParams(location.search).has('redirect_status')) return;
  history.replaceState(null, '', location.pathname);
  if (typeof order === 'string') location.hash = hrefOf({ view: 'order', orderId: order });
}

async function main(root: HTMLElement): Promise<void> {
  comeBack();
  const shop = new Shop(readConfig(await fetchConfig()));
  render(
    <ShopProvider value={shop}>
      <Frame />
    </ShopProvider>,
    root,
  );
  shop.open();
}

const root = document.getElementById('shop');
if (root !== null)
  main(root).catch((error: unknown) => {
    const texts = chooseLanguage(undefined, navigator.languages) === 'de' ? de : en;
    root.textContent = texts.configFailed;
    throw error;
  });
