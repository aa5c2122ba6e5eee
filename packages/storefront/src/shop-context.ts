import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Shop } from './shop.ts';

const ShopContext = createContext<Shop | undefined>(undefined);

export const ShopProvider = ShopContext.Provider;

/** The shop that a view belongs to. */
export function useShop(): Shop {
  const shop = useContext(ShopContext);
  if (shop === undefined) throw new Error('a view is shown inside of a shop');
  return shop;
}
