/** Every article with each site's share of it, as bars that move while goods are held and sold. */
import type { JSX } from 'preact';
import { ofSite, query } from '../api.ts';
import { usePages } from '../pages.ts';
import { chosenSite, Filter } from '../parts/parts.tsx';
import { hrefOf, route } from '../route.ts';
import { type Article, articlesOf, type Share } from '../stock.ts';
import type { RecordValues } from '../versions.ts';
import { MoreRows } from './records-list.tsx';
import { Picture, type Product, useProducts } from './shop.tsx';

/** Rows, one for each site's share of an article. */
const PAGE = 24;
const AGAIN_MS = 2_000;
const BAR_WIDTH = 100;

export function Stock(): JSX.Element {
  const site = chosenSite();
  const { article = '' } = route.value.query;
  const pages = usePages<RecordValues>(
    `stock ${site ?? ''} ${article}`,
    async (cursor, signal) =>
      site === undefined
        ? { items: [] }
        : ofSite(site, `stock${query({ sku: article, limit: PAGE, cursor })}`, { signal }),
    AGAIN_MS,
  );
  const shown = articlesOf(pages.items);
  const products = useProducts(shown.map(({ sku }) => sku));
  return (
    <section>
      <h2>Stock</h2>
      <div class="filters">
        <Filter name="article" label="Article number" />
      </div>
      <ul class="legend" aria-label="Colours of the bars">
        <li>
          <span class="swatch free" /> available
        </li>
        <li>
          <span class="swatch held" /> held for orders
        </li>
        <li>
          <span class="swatch sold" /> sold
        </li>
      </ul>
      {pages.problem !== undefined && (
        <p class="problem" role="alert">
          {pages.problem}
        </p>
      )}
      {shown.length === 0 && (
        <p class="muted">
          {pages.isLoading
            ? 'Loading …'
            : pages.problem === undefined &&
              (article === '' ? 'Nothing is in stock.' : 'No site has stock of an article with this number.')}
        </p>
      )}
      <ul class="articles">
        {shown.map((each) => (
          <li key={each.sku} class="card">
            <ArticleCard article={each} product={products.get(each.sku)} />
          </li>
        ))}
      </ul>
      {pages.cursor !== undefined && (
        <MoreRows
          items={pages.items.length}
          cursor={pages.cursor}
          isLoading={pages.isLoading}
          more={pages.more}
        />
      )}
    </section>
  );
}

function ArticleCard({
  article: { sku, available, shares },
  product,
}: {
  article: Article;
  product: Product | undefined;
}): JSX.Element {
  const most = Math.max(...shares.map(({ quota }) => quota), 1);
  return (
    <>
      <div class="article-head">
        <Picture product={product} />
        <div>
          <h3>{product?.name ?? sku}</h3>
          <a href={hrefOf('records', ['product', sku])}>{sku}</a>
        </div>
        <strong class="number">{available.toLocaleString()}</strong>
      </div>
      {shares.map((share) => (
        <div key={share.site} class="share">
          <a href={hrefOf('records', ['stock', `${sku}~${share.site}`])}>{share.site}</a>
          <Bar share={share} most={most} />
          <small>
            {share.available.toLocaleString()} available, {share.held.toLocaleString()} held,{' '}
            {share.sold.toLocaleString()} sold
            {share.underWay > 0 && `, ${share.underWay.toLocaleString()} under way to it`}
          </small>
        </div>
      ))}
    </>
  );
}

/** The text below says the same. */
function Bar({ share: { available, held, sold }, most }: { share: Share; most: number }): JSX.Element {
  const width = (units: number): number => (Math.max(0, units) * BAR_WIDTH) / most;
  const [a, b, c] = [width(available), width(held), width(sold)];
  return (
    <svg class="bar" viewBox={`0 0 ${BAR_WIDTH} 8`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" width={BAR_WIDTH} height="8" />
      <rect class="free" width={a} height="8" />
      <rect class="held" x={a} width={b} height="8" />
      <rect class="sold" x={a + b} width={c} height="8" />
    </svg>
  );
}
