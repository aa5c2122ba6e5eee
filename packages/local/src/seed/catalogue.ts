/**
 * What a shop of tea, coffee and bicycles sells beside the samples of `product`: 188 products in two languages. Lines are
 * `English | German | price in cents`, of a category; what comes in several sizes is multiplied below.
 */
export interface CatalogueProduct {
  readonly sku: string;
  readonly category: Category;
  readonly body: Readonly<Record<string, unknown>>;
  /** At each site, when the shop opens. */
  readonly units: number;
}

interface Range {
  /** What is said of each of them, `{}` being its name; one after the other. */
  readonly said: readonly (readonly [string, string])[];
  /** Behind the name, and how many times the price. */
  readonly sizes?: readonly (readonly [string, number])[];
  readonly lines: string;
}

const RANGES = {
  tea: {
    said: [
      [
        '{} from small gardens, packed by hand. Keeps for two years.',
        '{} aus kleinen Gärten, von Hand verpackt. Zwei Jahre haltbar.',
      ],
      [
        '{}: loose leaves, picked this spring. Steep for three minutes.',
        '{}: lose Blätter, in diesem Frühjahr gepflückt. Drei Minuten ziehen lassen.',
      ],
      [
        '{}, mild and without bitterness. Good with milk and without.',
        '{}, mild und nicht bitter. Mit und ohne Milch zu trinken.',
      ],
    ],
    sizes: [
      [', 100 g', 1],
      [', 250 g', 2.25],
    ],
    lines: `
      Assam | Assam | 690
      Darjeeling first flush | Darjeeling First Flush | 1690
      Ceylon | Ceylon-Tee | 640
      Lapsang souchong | Lapsang Souchong | 990
      English breakfast | Englischer Frühstückstee | 590
      Keemun | Keemun | 1090
      Gyokuro | Gyokuro | 2890
      Genmaicha | Genmaicha | 1150
      Bancha | Bancha | 790
      Matcha for cooking | Matcha zum Kochen | 1990
      Jasmine pearls | Jasminperlen | 1790
      Gunpowder | Gunpowder | 620
      Milk oolong | Milch-Oolong | 1590
      Iron goddess | Eiserne Göttin | 1890
      White peony | Weiße Pfingstrose | 1690
      Silver needles | Silbernadeln | 2990
      Pu-erh, five years old | Pu-Erh, fünf Jahre alt | 1890
      Peppermint | Pfefferminze | 490
      Chamomile | Kamille | 520
      Lemon verbena | Zitronenverbene | 720`,
  },
  coffee: {
    said: [
      [
        '{}, roasted on Tuesdays in small batches. Notes of chocolate and nuts.',
        '{}, dienstags in kleinen Mengen geröstet. Schokoladig und nussig.',
      ],
      [
        '{}: a bright cup with notes of berries. For filter and French press.',
        '{}: eine lebendige Tasse mit Beerennoten. Für Filter und Stempelkanne.',
      ],
    ],
    sizes: [
      [', 250 g', 1],
      [', 1 kg', 3.6],
    ],
    lines: `
      Ethiopia Yirgacheffe | Äthiopien Yirgacheffe | 1090
      Kenya AA | Kenia AA | 1150
      Colombia Huila | Kolumbien Huila | 950
      Guatemala Antigua | Guatemala Antigua | 970
      Brazil Santos | Brasilien Santos | 790
      Sumatra Mandheling | Sumatra Mandheling | 990
      House blend | Hausmischung | 790
      Decaf Peru | Peru, entkoffeiniert | 1090
      Honduras, organic | Honduras, bio | 990
      Costa Rica Tarrazú | Costa Rica Tarrazú | 1090
      Ristretto blend | Ristretto-Mischung | 890
      Rwanda, washed | Ruanda, gewaschen | 1050`,
  },
  kitchen: {
    said: [
      [
        '{}. Made to be used every day; may go into the dishwasher.',
        '{}. Für jeden Tag gemacht; spülmaschinenfest.',
      ],
      [
        '{}, from a family business in its third generation. Ten years of guarantee.',
        '{}, aus einem Familienbetrieb in dritter Generation. Zehn Jahre Garantie.',
      ],
    ],
    lines: `
      French press, 1 litre | Stempelkanne, 1 Liter | 3490
      Moka pot for six | Mokkakanne für sechs | 3290
      Hand grinder | Handmühle | 5990
      Electric grinder | Elektrische Kaffeemühle | 12900
      Pour-over cone | Handfilter | 1990
      Paper filters, 100 | Papierfilter, 100 Stück | 490
      Milk frother | Milchaufschäumer | 2490
      Kitchen scale | Küchenwaage | 2990
      Tea infuser | Teesieb | 890
      Gaiwan | Gaiwan | 2290
      Matcha whisk | Matchabesen | 1590
      Glass teapot | Teekanne aus Glas | 3990
      Espresso cups, set of four | Espressotassen, vier Stück | 2890
      Cappuccino cups, set of two | Cappuccinotassen, zwei Stück | 2490
      Travel mug | Thermobecher | 2790
      Thermos flask, 1 litre | Thermoskanne, 1 Liter | 3690
      Sugar bowl | Zuckerdose | 1490
      Milk jug | Milchkännchen | 1290
      Cake stand | Tortenplatte | 3490
      Biscuit tin | Keksdose | 1690
      Wooden tray | Holztablett | 2990
      Tea towel, linen | Geschirrtuch aus Leinen | 1290
      Oven gloves | Ofenhandschuhe | 1890
      Bread knife | Brotmesser | 4990
      Chopping board, oak | Schneidebrett aus Eiche | 3990
      Cast-iron pan | Gusseiserne Pfanne | 6990
      Saucepan, 2 litres | Stieltopf, 2 Liter | 4490
      Mixing bowls, set of three | Rührschüsseln, drei Stück | 2990
      Rolling pin | Nudelholz | 1690
      Storage jar with a cork | Vorratsglas mit Korken | 990`,
  },
  bicycles: {
    said: [
      [
        '{}. Tried on a thousand kilometres of wet road.',
        '{}. Auf tausend Kilometern nasser Straße erprobt.',
      ],
      [
        '{}, fits all our bicycles and most others. With tools and instructions.',
        '{}, passt an alle unsere Räder und die meisten anderen. Mit Werkzeug und Anleitung.',
      ],
    ],
    lines: `
      City bicycle | Stadtrad | 69900
      Touring bicycle | Reiserad | 129900
      Folding bicycle | Faltrad | 89900
      Cargo bicycle | Lastenrad | 249900
      Children's bicycle | Kinderrad | 34900
      Balance bicycle | Laufrad | 9900
      Bicycle trailer | Fahrradanhänger | 39900
      Front light | Frontlicht | 3990
      Rear light | Rücklicht | 1990
      Dynamo hub | Nabendynamo | 8990
      Leather saddle | Ledersattel | 9990
      Gel saddle | Gelsattel | 3990
      Saddle cover | Sattelbezug | 990
      Handlebar grips, cork | Lenkergriffe aus Kork | 1990
      Handlebar tape | Lenkerband | 1790
      Pedals, pair | Pedale, Paar | 2990
      Mudguards, set | Schutzbleche, Satz | 3490
      Luggage rack | Gepäckträger | 4490
      Panniers, waterproof | Packtaschen, wasserdicht | 11900
      Saddle bag | Satteltasche | 2490
      Bottle cage | Flaschenhalter | 890
      Water bottle | Trinkflasche | 990
      Floor pump | Standpumpe | 3990
      Hand pump | Handpumpe | 1990
      Puncture kit | Flickzeug | 590
      Tyre levers, set of three | Reifenheber, drei Stück | 490
      Multi-tool | Multiwerkzeug | 2490
      Chain oil | Kettenöl | 890
      Chain, nine gears | Kette, neunfach | 2290
      Brake pads, pair | Bremsbeläge, Paar | 1290
      Inner tube, 28 inch | Schlauch, 28 Zoll | 690
      Tyre, 28 inch | Reifen, 28 Zoll | 3290
      U-lock | Bügelschloss | 5990
      Helmet | Helm | 5990
      Rain cape | Regencape | 4990
      Gloves | Handschuhe | 2490`,
  },
  garden: {
    said: [
      [
        '{}. For balconies and gardens, from March to October.',
        '{}. Für Balkon und Garten, von März bis Oktober.',
      ],
      ['{}, grown without pesticides.', '{}, ohne Pflanzenschutzmittel gezogen.'],
    ],
    lines: `
      Tea plant | Teepflanze | 1990
      Mint, in a pot | Minze im Topf | 490
      Lemon balm, in a pot | Zitronenmelisse im Topf | 490
      Lavender, in a pot | Lavendel im Topf | 690
      Coffee plant | Kaffeepflanze | 1490
      Herb seeds, six kinds | Kräutersamen, sechs Sorten | 1290
      Wildflower seeds | Wildblumensamen | 590
      Tomato seeds, old varieties | Tomatensamen, alte Sorten | 490
      Watering can, zinc | Gießkanne aus Zink | 3990
      Plant sprayer | Pflanzensprüher | 1490
      Trowel | Pflanzkelle | 1290
      Pruning shears | Gartenschere | 3490
      Gardening gloves | Gartenhandschuhe | 1190
      Clay pot, 14 cm | Tontopf, 14 cm | 390
      Clay pot, 24 cm | Tontopf, 24 cm | 990
      Hanging basket | Blumenampel | 1990
      Compost bin | Komposter | 5990
      Bird house | Nistkasten | 2490
      Bird feeder | Futterhaus | 1990
      Insect hotel | Insektenhotel | 2990
      Garden twine | Gartenschnur | 390
      Folding stool | Klapphocker | 2990
      Picnic blanket | Picknickdecke | 3990
      Lantern | Laterne | 2490`,
  },
  paper: {
    said: [
      [
        '{}, printed in the neighbourhood on recycled paper.',
        '{}, in der Nachbarschaft auf Recyclingpapier gedruckt.',
      ],
      ['{}. A present for who has everything.', '{}. Ein Geschenk für alle, die schon alles haben.'],
    ],
    lines: `
      Notebook, dotted | Notizbuch, gepunktet | 1490
      Notebook, plain | Notizbuch, blanko | 1490
      Tea diary | Teetagebuch | 1290
      Cookbook: cakes for tea | Kochbuch: Kuchen zum Tee | 2490
      Cookbook: bread | Kochbuch: Brot | 2690
      Repair your bicycle | Das Fahrrad selbst reparieren | 1990
      Map of cycle paths | Fahrradkarte | 990
      Tours for two | Touren zu zweit | 1890
      The history of coffee | Die Geschichte des Kaffees | 2290
      Postcards, set of ten | Postkarten, zehn Stück | 990
      Greeting card: bicycle | Grußkarte: Fahrrad | 350
      Greeting card: teapot | Grußkarte: Teekanne | 350
      Wrapping paper | Geschenkpapier | 450
      Wall calendar | Wandkalender | 1990
      Poster: tea regions | Poster: Teeregionen | 2490
      Poster: parts of a bicycle | Poster: Teile eines Fahrrads | 2490
      Pencils, set of six | Bleistifte, sechs Stück | 790
      Fountain pen | Füllfederhalter | 3990
      Ink, blue | Tinte, blau | 990
      Gift voucher in an envelope | Gutschein im Umschlag | 2500`,
  },
  home: {
    said: [['{}, made of natural materials.', '{}, aus natürlichen Materialien.']],
    lines: `
      Beeswax candle | Bienenwachskerze | 1290
      Soap, green tea | Seife, grüner Tee | 690
      Soap, coffee scrub | Seife, Kaffeepeeling | 690
      Wool blanket | Wolldecke | 7990
      Cushion, corduroy | Kissen aus Cord | 3490
      Door mat | Fußmatte | 2990
      Coat hooks | Garderobenhaken | 1990
      Wall mount for bicycles | Wandhalter für Fahrräder | 4990
      Doorstop | Türstopper | 1490
      Clock | Wanduhr | 4990
      Vase | Vase | 2990
      Fruit bowl | Obstschale | 3490
      Lamp shade, paper | Lampenschirm aus Papier | 2490
      Shopping net | Einkaufsnetz | 1290`,
  },
} as const satisfies Readonly<Record<string, Range>>;

export type Category = keyof typeof RANGES;

const UNITS = [40, 40, 25, 40, 2, 40, 12, 0] as const;

/** All of it, always the same. */
export function catalogue(): readonly CatalogueProduct[] {
  return Object.entries(RANGES)
    .flatMap(([category, range]) => linesOf(category as Category, range))
    .map((one, index) => ({ ...one, units: UNITS[index % UNITS.length] ?? 0 }));
}

function linesOf(
  category: Category,
  { said, sizes = [['', 1]], lines }: Range,
): Omit<CatalogueProduct, 'units'>[] {
  return lines
    .trim()
    .split('\n')
    .flatMap((line, index) => {
      const [english = '', german = '', price = '0'] = line.split('|').map((part) => part.trim());
      const [inEnglish, inGerman] = said[index % said.length] ?? ['{}', '{}'];
      return sizes.map(([size, times]) => {
        const sku = skuOf(english + size);
        return {
          sku,
          category,
          body: {
            sku,
            name: english + size,
            description: inEnglish.replace('{}', english),
            translations: {
              de: { name: german + size, description: inGerman.replace('{}', german) },
            },
            priceMinor: Math.round((Number(price) * times) / 10) * 10,
            currency: 'EUR',
            category,
            pictures: [pictureIdOf(sku)],
          },
        };
      });
    });
}

/** Of the picture that the seed makes for it. */
export function pictureIdOf(sku: string): string {
  return `${sku}.1`;
}

function skuOf(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
