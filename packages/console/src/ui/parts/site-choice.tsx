/** The site that a view asks and writes at: what is shown is what is taken, also while nobody has chosen. */
import type { JSX } from 'preact';
import { siteNames } from '../live.ts';
import { refine, route } from '../route.ts';
import { chosenSite } from './parts.tsx';

export function SiteChoice({ label }: { label: string }): JSX.Element {
  const chosen = chosenSite() ?? '';
  return (
    <label class="filter">
      {label}
      <select
        name="site"
        value={chosen}
        onChange={({ currentTarget }) => refine({ site: currentTarget.value, after: undefined })}
      >
        {siteNames.value.map((site) => (
          <option key={site} value={site}>
            {site}
          </option>
        ))}
      </select>
    </label>
  );
}

/** From now on that site, whether it answers or not: what is being typed is for it. */
export function stayAt(site: string): void {
  if (route.value.query['site'] !== site) refine({ site });
}
