import { describe, expect, test } from '@jest/globals';
import { beginsWith, inLanguage, type Product, readProduct } from '../src/product.ts';

const record = { sku: 'earl-grey', name: 'Earl Grey, 100 g', priceMinor: 790, currency: 'EUR' };
const read = (more: object): Product => {
  const product = readProduct({ ...record, ...more });
  if (product === undefined) throw new Error('not read');
  return product;
};

describe('a product', () => {
  test('is read without what the contract does not have yet', () => {
    expect(read({})).toEqual({
      ...record,
      category: undefined,
      description: undefined,
      pictures: [],
      translations: {},
    });
  });

  test.each([
    ['no record', null],
    ['a record without a price', { ...record, priceMinor: undefined }],
    ['one in no currency', { ...record, currency: 'euro' }],
  ])('is not read from %s', (_, value) => {
    expect(readProduct(value)).toBeUndefined();
  });

  test('keeps of newer fields what has the right type', () => {
    const { pictures, translations, description } = read({
      pictures: ['p1', 7, ''],
      translations: { de: { name: 'Earl Grey, 100 g lose', description: 4 }, fr: null },
      description: ['no text'],
    });
    expect(pictures).toEqual(['p1']);
    expect(translations).toEqual({ de: { name: 'Earl Grey, 100 g lose' }, fr: {} });
    expect(description).toBeUndefined();
  });

  test('is shown in the language, and as it is where that has no words for it', () => {
    const product = read({ description: 'Black tea', translations: { de: { name: 'Graf Grau' } } });
    expect(inLanguage(product, 'de')).toEqual({ name: 'Graf Grau', description: 'Black tea' });
    expect(inLanguage(product, 'en')).toEqual({ name: 'Earl Grey, 100 g', description: 'Black tea' });
  });

  test.each([
    ['ear', true],
    ['GREY', true],
    ['  earl g', true],
    ['graf', true],
    ['arl', false],
  ])('begins with %j: %s', (prefix, isFound) => {
    expect(beginsWith(read({ translations: { de: { name: 'Graf Grau' } } }), prefix)).toBe(isFound);
  });
});
