-- test/demo/shop.sql
--
-- A shop to recommend from: about 1,000 products, 3,000 customers and a year
-- of what they looked at, put into the cart, bought and sent back.
--
-- Nothing here is random: each choice is drawn from a hash of its subject ("the
-- mood of customer 17 on the 4th visit").  The hash is that of hash partitions,
-- so the shop is the same on every server and in every version.  The year ends at shop.closing_time().
--
-- The tastes of the customers, which the recommender has to learn from the
-- events alone:
--   pastime   espresso, camping, knitting.  It needs things of
--             several kinds, which therefore go together.  A customer has
--             three favourites, mostly from one circle of pastimes.
--   style     plain, classic, colourful or natural; products have one too.
--   purse     1 to 3; so have the brands.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET timezone = 'UTC';

CREATE SCHEMA shop;

CREATE FUNCTION shop.closing_time() RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN timestamptz '2026-06-30 20:00:00+00';

-- a number in [0, 1) that belongs to a subject and up to three numbers
CREATE FUNCTION pg_temp.draw(subject text, a bigint, b bigint = 0, c bigint = 0) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ((hashint8extended(c, hashint8extended(b, hashint8extended(a, hashtextextended(subject, 2026)))) >> 12)
           & 2251799813685247) / 2251799813685248.0::float8 $$;


-- ---------------------------------------------------------------------------
-- The words that titles are made of
-- ---------------------------------------------------------------------------

-- brands by category, with the purse they are made for
CREATE TEMP TABLE brand AS
SELECT category, name, purse
FROM   (VALUES
    ('coffee',  'Aldous',      3), ('coffee',  'Kestrel',      2), ('coffee',  'Bellhop',      1), ('coffee',  'Marrow & Bean',  2),
    ('kitchen', 'Hollin',      3), ('kitchen', 'Fennwick',     2), ('kitchen', 'Plain Larder', 1), ('kitchen', 'Ostler & Daughters', 2),
    ('outdoor', 'Tarn',        3), ('outdoor', 'Farfell',      2), ('outdoor', 'Drumlin',      1), ('outdoor', 'Skerry',         2),
    ('garden',  'Greenacre',   1), ('garden',  'Potter & Lark',2), ('garden',  'Verbena',      3), ('garden',  'Thistledown',    2),
    ('bikes',   'Velden',      3), ('bikes',   'Spoke & Co',   2), ('bikes',   'Pedalo',       1), ('bikes',   'Norrland',       2),
    ('music',   'Larkspur',    3), ('music',   'Tonwerk',      2), ('music',   'Busker',       1), ('music',   'Lowther',        2),
    ('books',   'Inkwell',     2), ('books',   'Harbour Press',3), ('books',   'Penny Shelf',  1), ('books',   'Quire',          2),
    ('toys',    'Tumbling Bear',2),('toys',    'Woodruff',     3), ('toys',    'Pipkin',       1), ('toys',    'Little Ferry',   2),
    ('home',    'Loam',        3), ('home',    'Hearth & Hay', 2), ('home',    'Nettle',       1), ('home',    'Saltmarsh',      2),
    ('office',  'Scrivener',   3), ('office',  'Margin',       2), ('office',  'Paperboat',    1), ('office',  'Quillon',        2),
    ('sport',   'Stride',      2), ('sport',   'Halden',       3), ('sport',   'Everymile',    1), ('sport',   'Sattva',         2),
    ('pets',    'Barkby',      2), ('pets',    'Whisker Lane', 2), ('pets',    'Good Paw',     1), ('pets',    'Tilda & Moss',   3),
    ('craft',   'Skein',       3), ('craft',   'Thimble Road', 2), ('craft',   'Umber',        2), ('craft',   'Kit & Colour',   1)
) AS v(category, name, purse);

-- finishes, which distinguish products of one kind, each with its style
CREATE TEMP TABLE finish AS
SELECT palette, btrim(word) AS word, style
FROM   (VALUES
    ('metal',   'plain',     'brushed steel, matt black'),
    ('metal',   'classic',   'polished chrome, antique brass'),
    ('metal',   'colourful', 'tomato red, mint green'),
    ('metal',   'natural',   'hammered copper, warm bronze'),
    ('clay',    'plain',     'white, charcoal'),
    ('clay',    'classic',   'cobalt rim, willow pattern'),
    ('clay',    'colourful', 'saffron, sea green'),
    ('clay',    'natural',   'speckled sand, terracotta'),
    ('cloth',   'plain',     'slate grey, navy'),
    ('cloth',   'classic',   'herringbone, burgundy check'),
    ('cloth',   'colourful', 'coral stripe, sunflower print'),
    ('cloth',   'natural',   'undyed linen, moss'),
    ('wood',    'plain',     'white ash, black stain'),
    ('wood',    'classic',   'walnut, cherry'),
    ('wood',    'colourful', 'painted blue, painted yellow'),
    ('wood',    'natural',   'oiled oak, beech'),
    ('gear',    'plain',     'graphite, black'),
    ('gear',    'classic',   'bottle green, wine red'),
    ('gear',    'colourful', 'orange, turquoise'),
    ('gear',    'natural',   'sage, sandstone'),
    ('beans',   'plain',     'house blend, decaf'),
    ('beans',   'classic',   'Brazil Cerrado, Guatemala Antigua'),
    ('beans',   'colourful', 'Kenya Nyeri, Ethiopia Guji'),
    ('beans',   'natural',   'Peru Cajamarca, Mexico Chiapas'),
    ('leaves',  'plain',     'breakfast blend, peppermint'),
    ('leaves',  'classic',   'Earl Grey, Darjeeling'),
    ('leaves',  'colourful', 'jasmine pearl, blood orange'),
    ('leaves',  'natural',   'sencha, rooibos'),
    ('seeds',   'plain',     'Moneymaker tomato, runner bean'),
    ('seeds',   'classic',   'sweet pea, hollyhock'),
    ('seeds',   'colourful', 'rainbow chard, zinnia mix'),
    ('seeds',   'natural',   'wild meadow mix, borage'),
    ('pack',    'plain',     'standard, twin pack'),
    ('pack',    'classic',   'original, pack of 4'),
    ('pack',    'colourful', 'bonus pack, special edition'),
    ('pack',    'natural',   'eco, plastic-free'),
    ('crime',   'plain',     'Low Water, The Quiet Platform, Nine Minutes Late'),
    ('crime',   'classic',   'Death of an Archivist, The Lighthouse Ledger, Murder in the Reading Room'),
    ('crime',   'colourful', 'The Parrot Knew, Two Alibis and a Wedding'),
    ('crime',   'natural',   'What the Marsh Gave Back, The Beekeeper''s Silence'),
    ('novel',   'plain',     'A Room in Tartu, The Second Translator, Ordinary Weather'),
    ('novel',   'classic',   'The Clockmaker''s Niece, Letters from the Ferry House, The Last Season at Orme'),
    ('novel',   'colourful', 'Aunt Rosa Buys a Circus, The Lemon Year'),
    ('novel',   'natural',   'The Orchard Keepers, Salt and Heather'),
    ('fact',    'plain',     'How Bridges Stand, The Price of Bread, Counting to a Billion'),
    ('fact',    'classic',   'A History of the Spoon, Rome in a Hundred Receipts, The Post Road'),
    ('fact',    'colourful', 'Why Parrots Talk, The Inks of Asia'),
    ('fact',    'natural',   'The Secret Year of the Hedge, Under the Moss, Night Rivers'),
    ('cookery', 'plain',     'Six Ingredients, Soup on Tuesday'),
    ('cookery', 'classic',   'The Sunday Roast, Pies of the North'),
    ('cookery', 'colourful', 'Street Food at Home, The Spice Drawer'),
    ('cookery', 'natural',   'Vegetables First, The Sourdough Year, Foraged'),
    ('record',  'plain',     'Tomas Ek Trio: Grey Mornings, Low Sundays: Platform 4'),
    ('record',  'classic',   'Harbour String Quartet: Nocturnes, The Orme Chamber Players: Winter Suite'),
    ('record',  'colourful', 'Brass Balcony: Carnival Street, Lola Vantongeren: Neon Mango'),
    ('record',  'natural',   'Nightjar & Wren: Field Songs, Birch Hollow: Long Way Down to Water'),
    ('game',    'plain',     'Harbour Master, Nine Tiles'),
    ('game',    'classic',   'Kings of the Road, Merchants of Ghent'),
    ('game',    'colourful', 'Mango Market, Dragon Bakery'),
    ('game',    'natural',   'Beehive, Forest Floor'),
    ('puzzle',  'plain',     '1000 pieces: Lighthouse, 500 pieces: Alphabet'),
    ('puzzle',  'classic',   '1000 pieces: Old Map of the North Sea, 1000 pieces: Steam Railway'),
    ('puzzle',  'colourful', '500 pieces: Balloon Festival, 1000 pieces: Coral Reef'),
    ('puzzle',  'natural',   '500 pieces: Garden Birds, 1000 pieces: Mushrooms')
) AS v(palette, style, words), regexp_split_to_table(words, ', ') AS word;

-- kinds of products: the pastimes they serve, the range of prices, how often
-- they are wanted (pull), and
--   lead     the big thing that the others go with
--   again    consumed and bought again
--   season   when they are wanted: ., summer, winter, spring, christmas
CREATE TEMP TABLE kind AS
SELECT row_number() OVER (ORDER BY ordinal)::int AS id, circle, category, pastime, noun, palette, low, high, pull,
       'lead' = ANY (marks) AS is_lead, 'again' = ANY (marks) AS is_again,
       coalesce((SELECT m FROM unnest(marks) AS m WHERE m IN ('summer', 'winter', 'spring', 'christmas')), '.') AS season
FROM   (VALUES
    (  1, 'barista', 'coffee', 'espresso', 'Espresso Machine',          'metal',  249, 899, 5, '{lead}'),
    (  2, 'barista', 'coffee', 'espresso', 'Burr Grinder',              'metal',   79, 329, 4, '{}'),
    (  3, 'barista', 'coffee', 'espresso', 'Espresso Beans 1 kg',       'beans',   17,  32, 8, '{again}'),
    (  4, 'barista', 'coffee', 'espresso', 'Milk Jug',                  'metal',   14,  38, 3, '{}'),
    (  5, 'barista', 'coffee', 'espresso', 'Tamper',                    'wood',    18,  59, 2, '{}'),
    (  6, 'barista', 'coffee', 'espresso', 'Espresso Cups, set of 4',   'clay',    22,  64, 3, '{}'),
    (  7, 'barista', 'coffee', 'filter coffee', 'Pour-over Dripper',    'clay',    16,  49, 4, '{lead}'),
    (  8, 'barista', 'coffee', 'filter coffee', 'Gooseneck Kettle',     'metal',   45, 159, 4, '{}'),
    (  9, 'barista', 'coffee', 'filter coffee', 'Filter Beans 500 g',   'beans',    9,  19, 7, '{again}'),
    ( 10, 'barista', 'coffee', 'filter coffee', 'Filter Papers',        'pack',     4,  12, 5, '{again}'),
    ( 11, 'barista', 'coffee', 'filter coffee', 'Hand Grinder',         'metal',   39, 129, 3, '{}'),
    ( 12, 'barista', 'coffee', 'filter coffee', 'Coffee Scales',        'gear',    25,  99, 2, '{}'),
    ( 13, 'barista', 'kitchen', 'tea', 'Teapot',                        'clay',    29,  89, 4, '{lead}'),
    ( 14, 'barista', 'kitchen', 'tea', 'Loose Leaf Tea 100 g',          'leaves',   6,  18, 8, '{again}'),
    ( 15, 'barista', 'kitchen', 'tea', 'Tea Strainer',                  'metal',    8,  22, 2, '{}'),
    ( 16, 'barista', 'kitchen', 'tea', 'Mug',                           'clay',     9,  26, 5, '{}'),
    ( 17, 'barista', 'kitchen', 'tea', 'Tea Towel',                     'cloth',    7,  18, 2, '{}'),
    ( 21, 'cook', 'kitchen', 'baking', 'Stand Mixer',                   'metal',  199, 549, 3, '{lead}'),
    ( 22, 'cook', 'kitchen', 'baking', 'Loaf Tin',                      'metal',   12,  34, 4, '{}'),
    ( 23, 'cook', 'kitchen', 'baking', 'Proving Basket',                'wood',    14,  36, 3, '{}'),
    ( 24, 'cook', 'kitchen', 'baking', 'Bread Flour 5 kg',              'pack',     7,  15, 6, '{again}'),
    ( 25, 'cook', 'kitchen', 'baking', 'Rolling Pin',                   'wood',    12,  35, 2, '{}'),
    ( 26, 'cook', 'kitchen', 'baking', 'Oven Gloves',                   'cloth',   12,  29, 3, '{}'),
    ( 31, 'cook', 'kitchen', 'cooking', 'Cast Iron Pan',                'metal',   49, 199, 5, '{lead}'),
    ( 32, 'cook', 'kitchen', 'cooking', 'Kitchen Knife',                'wood',    35, 189, 4, '{}'),
    ( 33, 'cook', 'kitchen', 'cooking', 'Chopping Board',               'wood',    19,  79, 4, '{}'),
    ( 34, 'cook', 'kitchen', 'cooking', 'Pepper Mill',                  'wood',    19,  69, 3, '{}'),
    ( 35, 'cook', 'kitchen', 'cooking', 'Apron',                        'cloth',   19,  55, 3, '{}'),
    ( 36, 'cook', 'books',   'cooking', 'cookbook',                     'cookery', 18,  36, 5, '{}'),
    ( 41, 'camper', 'outdoor', 'camping', 'Two-person Tent',            'gear',   119, 479, 5, '{lead,summer}'),
    ( 42, 'camper', 'outdoor', 'camping', 'Sleeping Bag',               'gear',    59, 289, 5, '{summer}'),
    ( 43, 'camper', 'outdoor', 'camping', 'Sleeping Mat',               'gear',    35, 159, 4, '{summer}'),
    ( 44, 'camper', 'outdoor', 'camping', 'Camp Stove',                 'metal',   29, 119, 3, '{summer}'),
    ( 45, 'camper', 'outdoor', 'camping', 'Headlamp',                   'gear',    19,  79, 3, '{}'),
    ( 46, 'camper', 'outdoor', 'camping', 'Enamel Mug',                 'metal',    9,  19, 4, '{}'),
    ( 51, 'camper', 'outdoor', 'hiking', 'Rucksack 30 l',               'gear',    69, 219, 5, '{lead}'),
    ( 52, 'camper', 'outdoor', 'hiking', 'Trekking Poles',              'gear',    35, 149, 3, '{}'),
    ( 53, 'camper', 'outdoor', 'hiking', 'Walking Socks',               'cloth',   12,  29, 6, '{again}'),
    ( 54, 'camper', 'outdoor', 'hiking', 'Water Bottle',                'metal',   14,  45, 5, '{}'),
    ( 55, 'camper', 'outdoor', 'hiking', 'Rain Jacket',                 'gear',    79, 329, 4, '{}'),
    ( 56, 'camper', 'outdoor', 'hiking', 'Map Case',                    'cloth',   12,  32, 1, '{}'),
    ( 61, 'camper', 'outdoor', 'lakeside', 'Paddle Board',              'gear',   249, 699, 3, '{lead,summer}'),
    ( 62, 'camper', 'outdoor', 'lakeside', 'Dry Bag',                   'gear',    14,  49, 4, '{summer}'),
    ( 63, 'camper', 'outdoor', 'lakeside', 'Beach Towel',               'cloth',   19,  59, 5, '{summer}'),
    ( 64, 'camper', 'outdoor', 'lakeside', 'Cool Box',                  'gear',    35, 129, 3, '{summer}'),
    ( 65, 'camper', 'outdoor', 'lakeside', 'Sun Hat',                   'cloth',   17,  49, 4, '{summer}'),
    ( 71, 'grower', 'garden', 'growing', 'Raised Bed',                  'wood',    59, 189, 3, '{lead,spring}'),
    ( 72, 'grower', 'garden', 'growing', 'Seeds',                       'seeds',    3,   7, 8, '{again,spring}'),
    ( 73, 'grower', 'garden', 'growing', 'Potting Soil 40 l',           'pack',     8,  17, 5, '{again,spring}'),
    ( 74, 'grower', 'garden', 'growing', 'Watering Can',                'metal',   22,  79, 4, '{spring}'),
    ( 75, 'grower', 'garden', 'growing', 'Hand Trowel',                 'wood',    12,  39, 3, '{spring}'),
    ( 76, 'grower', 'garden', 'growing', 'Gardening Gloves',            'cloth',    9,  29, 4, '{spring}'),
    ( 81, 'grower', 'garden', 'birds', 'Bird Feeder',                   'wood',    19,  59, 4, '{lead}'),
    ( 82, 'grower', 'garden', 'birds', 'Sunflower Hearts 5 kg',         'pack',    12,  22, 6, '{again,winter}'),
    ( 83, 'grower', 'garden', 'birds', 'Nest Box',                      'wood',    18,  55, 3, '{}'),
    ( 84, 'grower', 'garden', 'birds', 'Bird Bath',                     'clay',    29,  99, 2, '{}'),
    ( 85, 'grower', 'books',  'birds', 'nature writing',                'fact',    12,  28, 3, '{}'),
    ( 91, 'grower', 'garden', 'terrace', 'Bistro Table',                'metal',   79, 259, 3, '{lead,summer}'),
    ( 92, 'grower', 'garden', 'terrace', 'Folding Chair',               'wood',    39, 129, 4, '{summer}'),
    ( 93, 'grower', 'garden', 'terrace', 'Parasol',                     'cloth',   49, 199, 3, '{summer}'),
    ( 94, 'grower', 'garden', 'terrace', 'Garden Lantern',              'metal',   22,  69, 4, '{summer}'),
    ( 95, 'grower', 'garden', 'terrace', 'Hammock',                     'cloth',   45, 149, 3, '{summer}'),
    (101, 'mover', 'bikes', 'commuting', 'City Bike',                   'gear',   449,1299, 2, '{lead}'),
    (102, 'mover', 'bikes', 'commuting', 'Bike Lock',                   'gear',    25, 109, 5, '{}'),
    (103, 'mover', 'bikes', 'commuting', 'Cycling Helmet',              'gear',    45, 149, 4, '{}'),
    (104, 'mover', 'bikes', 'commuting', 'Bike Light Set',              'gear',    19,  79, 4, '{}'),
    (105, 'mover', 'bikes', 'commuting', 'Pannier',                     'cloth',   45, 139, 3, '{}'),
    (106, 'mover', 'bikes', 'commuting', 'Rain Cape',                   'gear',    29,  89, 2, '{}'),
    (111, 'mover', 'bikes', 'touring', 'Track Pump',                    'metal',   25,  79, 3, '{lead}'),
    (112, 'mover', 'bikes', 'touring', 'Inner Tube',                    'pack',     5,  12, 6, '{again}'),
    (113, 'mover', 'bikes', 'touring', 'Cycling Jersey',                'gear',    39, 129, 4, '{}'),
    (114, 'mover', 'bikes', 'touring', 'Multitool',                     'metal',   15,  55, 3, '{}'),
    (115, 'mover', 'bikes', 'touring', 'Handlebar Bag',                 'cloth',   29,  99, 3, '{}'),
    (121, 'mover', 'sport', 'running', 'Running Shoes',                 'gear',    79, 189, 5, '{lead}'),
    (122, 'mover', 'sport', 'running', 'Running Socks',                 'gear',     9,  22, 6, '{again}'),
    (123, 'mover', 'sport', 'running', 'Running Belt',                  'gear',    15,  39, 3, '{}'),
    (124, 'mover', 'sport', 'running', 'Foam Roller',                   'gear',    15,  45, 3, '{}'),
    (125, 'mover', 'sport', 'running', 'Running Cap',                   'gear',    14,  35, 3, '{}'),
    (131, 'mover', 'sport', 'yoga', 'Yoga Mat',                         'gear',    25, 109, 5, '{lead}'),
    (132, 'mover', 'sport', 'yoga', 'Yoga Block',                       'wood',     9,  32, 4, '{}'),
    (133, 'mover', 'sport', 'yoga', 'Meditation Cushion',               'cloth',   29,  79, 3, '{}'),
    (134, 'mover', 'sport', 'yoga', 'Yoga Strap',                       'cloth',    8,  22, 3, '{}'),
    (135, 'mover', 'sport', 'yoga', 'Singing Bowl',                     'metal',   25,  99, 1, '{}'),
    (141, 'listener', 'music', 'vinyl', 'Turntable',                    'wood',   149, 599, 3, '{lead}'),
    (142, 'listener', 'music', 'vinyl', 'LP',                           'record',  19,  34, 9, '{}'),
    (143, 'listener', 'music', 'vinyl', 'Record Brush',                 'wood',     9,  32, 3, '{}'),
    (144, 'listener', 'music', 'vinyl', 'Record Crate',                 'wood',    25,  79, 3, '{}'),
    (145, 'listener', 'music', 'vinyl', 'Bookshelf Speakers',           'wood',   129, 499, 2, '{}'),
    (151, 'listener', 'music', 'guitar', 'Acoustic Guitar',             'wood',   149, 749, 3, '{lead}'),
    (152, 'listener', 'music', 'guitar', 'Guitar Strings',              'pack',     8,  19, 6, '{again}'),
    (153, 'listener', 'music', 'guitar', 'Capo',                        'metal',   12,  35, 3, '{}'),
    (154, 'listener', 'music', 'guitar', 'Clip-on Tuner',               'gear',    12,  35, 3, '{}'),
    (155, 'listener', 'music', 'guitar', 'Guitar Strap',                'cloth',   15,  59, 3, '{}'),
    (161, 'reader', 'books', 'crime', 'crime novel',                    'crime',   10,  19, 9, '{lead}'),
    (162, 'reader', 'books', 'crime', 'Reading Light',                  'gear',    14,  45, 2, '{}'),
    (163, 'reader', 'home',  'crime', 'Wool Blanket',                   'cloth',   45, 159, 3, '{winter}'),
    (164, 'reader', 'home',  'crime', 'Hot Water Bottle',               'cloth',   15,  39, 3, '{winter}'),
    (171, 'reader', 'books', 'novels', 'novel',                         'novel',   11,  24, 9, '{lead}'),
    (172, 'reader', 'books', 'novels', 'Bookends',                      'metal',   19,  59, 2, '{}'),
    (173, 'reader', 'books', 'novels', 'Canvas Book Bag',               'cloth',   12,  29, 3, '{}'),
    (174, 'reader', 'home',  'novels', 'Reading Cushion',               'cloth',   25,  69, 2, '{}'),
    (181, 'reader', 'office', 'writing', 'Fountain Pen',                'metal',   25, 189, 4, '{lead}'),
    (182, 'reader', 'office', 'writing', 'Bottle of Ink',               'gear',     8,  19, 5, '{again}'),
    (183, 'reader', 'office', 'writing', 'Notebook A5',                 'cloth',    9,  26, 7, '{again}'),
    (184, 'reader', 'office', 'writing', 'Pen Case',                    'cloth',   14,  49, 3, '{}'),
    (185, 'reader', 'office', 'writing', 'Desk Lamp',                   'metal',   39, 159, 3, '{}'),
    (191, 'family', 'toys', 'railway', 'Wooden Train Set',              'wood',    39, 119, 4, '{lead}'),
    (192, 'family', 'toys', 'railway', 'Extra Tracks',                  'wood',    14,  39, 4, '{}'),
    (193, 'family', 'toys', 'railway', 'Railway Station',               'wood',    22,  59, 3, '{}'),
    (194, 'family', 'toys', 'railway', 'Building Blocks',               'wood',    22,  69, 4, '{}'),
    (195, 'family', 'toys', 'railway', 'Toy Crane',                     'wood',    19,  49, 2, '{}'),
    (201, 'family', 'toys', 'game night', 'board game',                 'game',    22,  49, 8, '{lead,winter}'),
    (202, 'family', 'toys', 'game night', 'jigsaw puzzle',              'puzzle',  12,  24, 6, '{winter}'),
    (203, 'family', 'toys', 'game night', 'Dice Set',                   'gear',     7,  24, 3, '{}'),
    (204, 'family', 'toys', 'game night', 'Playing Cards',              'pack',     6,  16, 4, '{}'),
    (211, 'family', 'toys', 'painting', 'Watercolour Box',              'wood',    19,  79, 4, '{lead}'),
    (212, 'family', 'craft', 'painting', 'Brush Set',                   'wood',    12,  49, 4, '{}'),
    (213, 'family', 'craft', 'painting', 'Watercolour Paper',           'pack',     9,  29, 5, '{again}'),
    (214, 'family', 'craft', 'painting', 'Table Easel',                 'wood',    25,  89, 2, '{}'),
    (215, 'family', 'craft', 'painting', 'Sketchbook',                  'cloth',    9,  25, 4, '{}'),
    (221, 'maker', 'craft', 'knitting', 'Knitting Needles',             'wood',     8,  39, 4, '{lead}'),
    (222, 'maker', 'craft', 'knitting', 'Merino Yarn 100 g',            'cloth',    9,  24, 9, '{again,winter}'),
    (223, 'maker', 'craft', 'knitting', 'Yarn Bowl',                    'clay',    24,  59, 2, '{}'),
    (224, 'maker', 'craft', 'knitting', 'Project Bag',                  'cloth',   19,  49, 3, '{}'),
    (225, 'maker', 'craft', 'knitting', 'Stitch Markers',               'metal',    5,  15, 3, '{}'),
    (231, 'maker', 'pets', 'dog', 'Dog Bed',                            'cloth',   39, 149, 4, '{lead}'),
    (232, 'maker', 'pets', 'dog', 'Dog Lead',                           'gear',    15,  49, 4, '{}'),
    (233, 'maker', 'pets', 'dog', 'Dog Treats',                         'pack',     5,  14, 8, '{again}'),
    (234, 'maker', 'pets', 'dog', 'Dog Bowl',                           'clay',    12,  39, 3, '{}'),
    (235, 'maker', 'pets', 'dog', 'Ball Thrower',                       'gear',     8,  22, 3, '{}'),
    (241, 'maker', 'pets', 'cat', 'Scratching Post',                    'cloth',   29, 129, 4, '{lead}'),
    (242, 'maker', 'pets', 'cat', 'Cat Litter 10 l',                    'pack',     8,  18, 7, '{again}'),
    (243, 'maker', 'pets', 'cat', 'Feather Wand',                       'gear',     6,  16, 3, '{}'),
    (244, 'maker', 'pets', 'cat', 'Cat Basket',                         'wood',    25,  79, 3, '{}'),
    (251, 'homely', 'home', 'evenings', 'Table Lamp',                   'clay',    39, 189, 4, '{lead}'),
    (252, 'homely', 'home', 'evenings', 'Beeswax Candles',              'pack',     9,  24, 6, '{again,winter}'),
    (253, 'homely', 'home', 'evenings', 'Candle Holder',                'metal',   14,  49, 4, '{}'),
    (254, 'homely', 'home', 'evenings', 'Cushion Cover',                'cloth',   14,  45, 5, '{}'),
    (255, 'homely', 'home', 'evenings', 'Vase',                         'clay',    19,  79, 4, '{}'),
    (261, 'homely', 'home', 'sleeping', 'Duvet Cover',                  'cloth',   49, 159, 5, '{lead}'),
    (262, 'homely', 'home', 'sleeping', 'Pillowcase',                   'cloth',   14,  39, 5, '{}'),
    (263, 'homely', 'home', 'sleeping', 'Alarm Clock',                  'metal',   19,  69, 2, '{}'),
    (264, 'homely', 'home', 'sleeping', 'Bath Towel',                   'cloth',   17,  49, 5, '{}'),
    (271, 'homely', 'home', 'christmas', 'Tree Lights',                 'metal',   19,  59, 4, '{lead,christmas}'),
    (272, 'homely', 'home', 'christmas', 'Baubles, box of 12',          'clay',    15,  45, 5, '{christmas}'),
    (273, 'homely', 'home', 'christmas', 'Door Wreath',                 'cloth',   22,  69, 3, '{christmas}'),
    (274, 'homely', 'home', 'christmas', 'Advent Calendar',             'wood',    19,  69, 4, '{christmas}')
) AS v(ordinal, circle, category, pastime, noun, palette, low, high, pull, mark),
       LATERAL (SELECT mark::text[] AS marks) AS m;

-- the pastimes, and the number of people who like them
CREATE TEMP TABLE pastime AS
SELECT name, phrase, (SELECT min(circle) FROM kind WHERE pastime = name) AS circle,
       0.3 + 1.2 * pg_temp.draw('pastime ' || name, 1) AS appeal
FROM   (VALUES
    ('espresso',      'the first cup of the day'),
    ('filter coffee', 'slow coffee by hand'),
    ('tea',           'a proper pot of tea'),
    ('baking',        'bread worth getting up for'),
    ('cooking',       'an evening at the stove'),
    ('camping',       'a night under canvas'),
    ('hiking',        'long days on foot'),
    ('lakeside',      'a day by the water'),
    ('growing',       'a kitchen garden of any size'),
    ('birds',         'visitors with feathers'),
    ('terrace',       'long evenings outside'),
    ('commuting',     'the ride to work in any weather'),
    ('touring',       'a hundred kilometres before lunch'),
    ('running',       'one more round of the park'),
    ('yoga',          'a quiet hour on the mat'),
    ('vinyl',         'side A, then side B'),
    ('guitar',        'three chords and a campfire'),
    ('crime',         'a murder before bedtime'),
    ('novels',        'a weekend with a book'),
    ('writing',       'letters by hand'),
    ('railway',       'small engine drivers'),
    ('game night',    'four people around a table'),
    ('painting',      'rainy afternoons and bright colours'),
    ('knitting',      'one row more'),
    ('dog',           'muddy paws'),
    ('cat',           'whoever really owns the flat'),
    ('evenings',      'a warm light in the window'),
    ('sleeping',      'eight hours of peace'),
    ('christmas',     'the darkest month, brightly lit')
) AS v(name, phrase);

-- the share of the demand in each month of the year
CREATE TEMP TABLE demand AS
SELECT season, month, share[month] AS share
FROM   (VALUES
    --                    jan   feb   mar   apr   may   jun   jul   aug   sep   oct   nov   dec
    ('.',         '{    0.70, 0.70, 0.75, 0.75, 0.75, 0.75, 0.70, 0.70, 0.75, 0.80, 0.95, 1.00}'),
    ('spring',    '{    0.15, 0.45, 0.95, 1.00, 0.95, 0.60, 0.40, 0.30, 0.30, 0.20, 0.10, 0.10}'),
    ('summer',    '{    0.10, 0.10, 0.20, 0.45, 0.80, 1.00, 1.00, 0.85, 0.35, 0.15, 0.10, 0.15}'),
    ('winter',    '{    1.00, 0.85, 0.55, 0.35, 0.20, 0.15, 0.15, 0.20, 0.45, 0.75, 1.00, 1.00}'),
    ('christmas', '{    0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.08, 0.35, 1.00, 1.00}')
) AS v(season, shares), LATERAL (SELECT shares::float8[] AS share) AS s, generate_series(1, 12) AS month;


-- ---------------------------------------------------------------------------
-- Products
-- ---------------------------------------------------------------------------

-- Every kind in some combinations of brand and finish, the words of books,
-- records and games once each.
CREATE TEMP TABLE assortment AS
WITH combination AS (
    SELECT k.id AS kind_id, k.category, k.pastime, k.noun, k.low, k.high, k.season, k.is_again,
           k.noun = lower(k.noun) OR k.noun = 'LP' AS is_work,
           b.name AS brand, b.purse, f.word, f.style,
           pg_temp.draw('combination ' || b.name || f.word, k.id) AS luck,
           row_number() OVER (PARTITION BY k.id, f.word ORDER BY pg_temp.draw('brand ' || f.word || b.name, k.id)) AS turn
    FROM   kind AS k JOIN brand AS b USING (category) JOIN finish AS f USING (palette)
), chosen AS (
    -- one brand for each finish, and up to eight of them
    SELECT *, row_number() OVER (PARTITION BY kind_id ORDER BY luck) AS place
    FROM   combination
    WHERE  turn = 1
)
SELECT row_number() OVER (ORDER BY pg_temp.draw('number', kind_id, place))::int AS id,
       c.*,
       -- a few of each kind are loved, most are not
       1.0 / power(place, 0.9) * (0.5 + pg_temp.draw('liking', kind_id, place)) AS liking
FROM   chosen AS c
WHERE  is_work OR place <= 6 + floor(3 * pg_temp.draw('choice', kind_id));

CREATE TABLE shop.products (
    id          int PRIMARY KEY,
    title       text NOT NULL,
    category    text NOT NULL,
    brand       text NOT NULL,
    tags        text[] NOT NULL,
    description text NOT NULL,
    price       numeric(8,2) NOT NULL CHECK (price > 0),
    stock       int NOT NULL CHECK (stock >= 0),
    in_stock    boolean NOT NULL GENERATED ALWAYS AS (stock > 0) STORED,
    added_at    timestamptz NOT NULL
);

INSERT INTO shop.products (id, title, category, brand, tags, description, price, stock, added_at)
SELECT a.id,
       CASE WHEN a.is_work THEN a.word || ' (' || a.noun || ')'
            ELSE a.brand || ' ' || a.noun || ', ' || a.word END,
       a.category,
       a.brand,
       array_remove(ARRAY[a.pastime, a.style, nullif(nullif(a.season, a.pastime), '.'), CASE WHEN a.is_again THEN 'refill' END], NULL),
       format('%s%s from %s, %s in style: for %s.', upper(left(a.noun, 1)), substr(a.noun, 2), a.brand, a.style, mate.phrase)
       || CASE WHEN a.noun = mate.noun THEN '' ELSE format(' Goes well with our %s.', lower(mate.noun)) END,
       floor(a.low + (a.high - a.low)
                     * ((a.purse - 1) * 0.33 + 0.33 * pg_temp.draw('price', a.id))) + 0.90,
       CASE WHEN pg_temp.draw('sold out', a.id) < 0.04 THEN 0
            ELSE 1 + floor(120 * power(pg_temp.draw('stock', a.id), 2)) END::int,
       CASE -- new this week
            WHEN row_number() OVER (PARTITION BY a.season IN ('winter', 'christmas') OR a.place < 4
                                    ORDER BY pg_temp.draw('launch', a.id)) <= 9
                 AND a.season NOT IN ('winter', 'christmas') AND a.place >= 4
            THEN date_trunc('hour', shop.closing_time() - interval '6 days' * (0.35 + 0.65 * pg_temp.draw('launch day', a.id)))
            -- added in the course of the year
            WHEN pg_temp.draw('added', a.id) < 0.25
            THEN date_trunc('day', shop.closing_time() - interval '340 days' * (0.08 + 0.92 * pg_temp.draw('added on', a.id)))
            -- there from the beginning
            ELSE date_trunc('day', shop.closing_time() - interval '1 day' * (366 + 900 * pg_temp.draw('added on', a.id))) END
FROM   assortment AS a
       JOIN (SELECT k.pastime, k.noun, p.phrase FROM kind AS k JOIN pastime AS p ON p.name = k.pastime WHERE k.is_lead) AS mate USING (pastime)
ORDER  BY a.id;


-- ---------------------------------------------------------------------------
-- Customers
-- ---------------------------------------------------------------------------

CREATE TABLE shop.customers (
    id        bigint PRIMARY KEY,
    name      text NOT NULL,
    city      text NOT NULL,
    country   text NOT NULL,
    joined_at timestamptz NOT NULL
);

INSERT INTO shop.customers (id, name, city, country, joined_at)
SELECT n,
       first_names[1 + floor(array_length(first_names, 1) * pg_temp.draw('first name', n))::int] || ' ' ||
       last_names[1 + floor(array_length(last_names, 1) * pg_temp.draw('last name', n))::int],
       split_part(place, '/', 1),
       split_part(place, '/', 2),
       -- the last one joined ten minutes ago and has not done anything yet
       CASE WHEN n = 3000 THEN shop.closing_time() - interval '10 minutes'
            ELSE date_trunc('second', shop.closing_time() - interval '1 hour'
                            - interval '1000 days' * pg_temp.draw('joined', n)) END
FROM   generate_series(1, 3000) AS n,
       (VALUES (
        string_to_array('Ada Amara Anton Asta Bela Bruno Carla Celia Dario Dora Edith Elif Emil Enzo Esther Fabio Fatou '
                        'Freya Greta Hana Hugo Ida Ines Ivo Jana Jonas Julia Kaja Karim Lea Leo Lina Luca Maja Malik '
                        'Marta Mila Nadia Nils Noor Olga Oskar Paula Petra Rafael Rosa Sami Selma Sofia Tarek Tilda '
                        'Tomas Ulla Vera Viktor Yara Yusuf Zoe', ' '),
        string_to_array('Abel Almeida Arslan Bakker Baptiste Berg Brandt Brook Castell Conti Dahl Demir Duarte Eriksen '
                        'Farkas Ferro Fischer Fontaine Garnier Hale Hansen Holm Horvat Ibarra Ilves Jansen Kaya Keller '
                        'Kivi Kovac Lang Laurent Lindgren Lopes Marek Marsh Meyer Mori Moreau Nagy Novak Okafor Olsen '
                        'Orban Pavic Pereira Quist Ricci Rossi Sand Silva Sorel Stone Tamm Thorne Vidal Vogel Weber '
                        'Wells Wolf Zeman', ' '),
        string_to_array('Bergen/Norway,Malmo/Sweden,Aarhus/Denmark,Turku/Finland,Tartu/Estonia,Riga/Latvia,'
                        'Gdansk/Poland,Krakow/Poland,Brno/Czechia,Graz/Austria,Linz/Austria,Basel/Switzerland,'
                        'Ulm/Germany,Leipzig/Germany,Bremen/Germany,Hamburg/Germany,Utrecht/Netherlands,Ghent/Belgium,'
                        'Lyon/France,Nantes/France,Lille/France,Turin/Italy,Bologna/Italy,Porto/Portugal,'
                        'Braga/Portugal,Bilbao/Spain,Valencia/Spain,Leeds/England,Bristol/England,Cork/Ireland', ','))
       ) AS v(first_names, last_names, places),
       LATERAL (SELECT places[1 + floor(array_length(places, 1) * power(pg_temp.draw('city', n), 1.3))::int]) AS p(place);

-- the tastes behind the events
CREATE TEMP TABLE taste AS
SELECT customer_id, style, purse, is_passer_by, visits, array_agg(pastime ORDER BY place) AS pastimes
FROM  (
    SELECT c.id AS customer_id, p.name AS pastime, style, purse, is_passer_by, visits,
           row_number() OVER (PARTITION BY c.id
                              ORDER BY -ln(1 - pg_temp.draw('taste ' || p.name, c.id))
                                       / (p.appeal * CASE WHEN p.circle = home.circle THEN 6 ELSE 1 END), p.name) AS place
    FROM   shop.customers AS c,
           LATERAL (SELECT circle FROM pastime
                    ORDER BY -ln(1 - pg_temp.draw('home ' || name, c.id)) / appeal, name LIMIT 1) AS home,
           LATERAL (SELECT (ARRAY['plain', 'classic', 'colourful', 'natural'])
                           [1 + floor(4 * pg_temp.draw('style', c.id))::int] AS style,
                           1 + floor(3 * pg_temp.draw('purse', c.id))::int AS purse,
                           pg_temp.draw('passer-by', c.id) < 0.06 AS is_passer_by,
                           least(80, 3.5 / power(pg_temp.draw('visits', c.id) + 0.0001, 0.6)) AS visits) AS own,
           pastime AS p
    WHERE  c.id < 3000
) AS ranked
WHERE  place <= 3
GROUP  BY customer_id, style, purse, is_passer_by, visits;


-- ---------------------------------------------------------------------------
-- Events
-- ---------------------------------------------------------------------------

-- each kind and each product as a stretch of [0, 1), for a draw to fall on
CREATE TEMP TABLE kind_stretch AS
SELECT id AS kind_id, pastime, season,
       (sum(pull) OVER w - pull)::float8 / sum(pull) OVER (PARTITION BY pastime) AS low,
       (sum(pull) OVER w)::float8 / sum(pull) OVER (PARTITION BY pastime) AS high
FROM   kind
WINDOW w AS (PARTITION BY pastime ORDER BY id);

CREATE TEMP TABLE product_stretch AS
SELECT kind_id, style, purse, product_id,
       (sum(weight) OVER w - weight) / sum(weight) OVER (PARTITION BY kind_id, style, purse) AS low,
       (sum(weight) OVER w) / sum(weight) OVER (PARTITION BY kind_id, style, purse) AS high
FROM  (SELECT a.kind_id, s.style, p.purse, a.id AS product_id,
              a.liking * CASE WHEN a.style = s.style THEN 5 ELSE 1 END
                       * (ARRAY[3, 1, 0.4])[1 + abs(a.purse - p.purse)] AS weight
       FROM   assortment AS a,
              unnest(ARRAY['plain', 'classic', 'colourful', 'natural']) AS s(style),
              generate_series(1, 3) AS p(purse)) AS weighted
WINDOW w AS (PARTITION BY kind_id, style, purse ORDER BY product_id);

CREATE INDEX ON product_stretch (kind_id, style, purse);
ANALYZE kind_stretch;
ANALYZE product_stretch;

-- a visit is about one pastime
CREATE TEMP TABLE visit AS
SELECT t.customer_id, n AS visit_no, t.style, t.purse, t.is_passer_by, at, m.device,
       CASE WHEN m.mood < 0.62 THEN t.pastimes[1] WHEN m.mood < 0.84 THEN t.pastimes[2] WHEN m.mood < 0.95 THEN t.pastimes[3]
            ELSE (ARRAY(SELECT name FROM pastime ORDER BY name COLLATE "C"))[1 + floor(29 * pg_temp.draw('whim', t.customer_id, n))::int]
       END AS pastime
FROM   taste AS t
       JOIN shop.customers AS c ON c.id = t.customer_id,
       LATERAL (SELECT greatest(c.joined_at, shop.closing_time() - interval '1 year') AS opens) AS o,
       LATERAL (SELECT extract(epoch FROM shop.closing_time() - opens)::float8 / 31536000 AS years) AS y,
       generate_series(1, CASE WHEN t.is_passer_by THEN 1 ELSE ceil(t.visits * years) END::int) AS n,
       LATERAL (SELECT pg_temp.draw('mood', t.customer_id, n) AS mood,
                       pg_temp.draw('day', t.customer_id, n) AS day,
                       pg_temp.draw('hour', t.customer_id, n) AS hour,
                       (ARRAY['phone', 'phone', 'phone', 'laptop', 'laptop', 'tablet'])
                       [1 + floor(6 * pg_temp.draw('device', t.customer_id, CASE WHEN n % 4 = 0 THEN n ELSE 0 END))::int] AS device) AS m,
       -- some day since then, at an hour when people shop
       LATERAL (SELECT date_trunc('day', opens + (shop.closing_time() - opens) * power(day, 0.85))
                       + interval '1 hour' * (ARRAY[7, 8, 9, 11, 12, 12, 13, 15, 17, 17, 18, 18, 19, 19, 19])[1 + floor(15 * hour)::int]
                       + interval '1 second' * floor(3600 * (15 * hour - floor(15 * hour))) AS at) AS moment
WHERE  at > opens;

-- a step of a visit: one kind of thing is wanted, and up to three are compared
CREATE TEMP TABLE step AS
SELECT v.*, step_no, k.kind_id, pg_temp.draw('decision', v.customer_id, v.visit_no, step_no) AS decision,
       CASE WHEN v.is_passer_by THEN 1
            ELSE 1 + floor(2.4 * pg_temp.draw('compare', v.customer_id, v.visit_no, step_no))::int END AS looks
FROM   visit AS v,
       generate_series(1, CASE WHEN v.is_passer_by THEN 1
                               ELSE 1 + floor(4.2 * pg_temp.draw('steps', v.customer_id, v.visit_no))::int END) AS step_no,
       LATERAL (SELECT pg_temp.draw('kind', v.customer_id, v.visit_no, step_no) AS luck) AS l
       JOIN kind_stretch AS k ON luck >= k.low AND luck < k.high
       JOIN demand AS d ON d.season = k.season
WHERE  k.pastime = v.pastime
  AND  d.month = extract(month FROM v.at)
  AND  (v.is_passer_by OR pg_temp.draw('season', v.customer_id, v.visit_no, step_no) < d.share);

CREATE TEMP TABLE look AS
SELECT s.*, look_no, p.product_id,
       s.at + interval '1 second' * (210 * (s.step_no - 1) + 55 * (look_no - 1)
                                     + floor(40 * pg_temp.draw('pace', s.customer_id, s.visit_no, s.step_no))) AS seen_at
FROM   step AS s,
       generate_series(1, s.looks) AS look_no,
       LATERAL (SELECT pg_temp.draw('product ' || look_no, s.customer_id, s.visit_no, s.step_no) AS luck) AS l
       JOIN product_stretch AS p ON luck >= p.low AND luck < p.high
WHERE  p.kind_id = s.kind_id AND p.style = s.style AND p.purse = s.purse;

-- Purchases: the last product viewed, by a draw.  Durable products are bought
-- once.
CREATE TEMP TABLE purchase AS
SELECT *
FROM  (SELECT l.customer_id, l.product_id, l.kind_id, l.style, l.purse, l.device, l.pastime, l.seen_at + interval '8 minutes' AS bought_at,
              k.is_lead, k.is_again,
              row_number() OVER (PARTITION BY l.customer_id, l.kind_id ORDER BY l.seen_at, l.step_no) AS nth
       FROM   look AS l
              JOIN kind AS k ON k.id = l.kind_id
              JOIN shop.products AS p ON p.id = l.product_id AND p.added_at < l.seen_at
       WHERE  l.look_no = l.looks AND l.decision < CASE WHEN k.is_lead THEN 0.42 ELSE 0.33 END) AS wanted
WHERE  nth = 1 OR is_again OR kind_id IN (SELECT kind_id FROM assortment WHERE is_work);

-- owners of a tent look at no more tents
DELETE FROM look AS l
USING  purchase AS b
WHERE  b.customer_id = l.customer_id AND b.kind_id = l.kind_id AND b.bought_at < l.seen_at
  AND  NOT b.is_again AND l.kind_id NOT IN (SELECT kind_id FROM assortment WHERE is_work);

-- Buyers of the tent come back for the sleeping bag ...
INSERT INTO purchase
SELECT b.customer_id, p.product_id, k.id, b.style, b.purse, b.device, b.pastime,
       b.bought_at + interval '1 second' * (120 + floor(777600 * power(pg_temp.draw('later', b.customer_id, b.product_id, k.id), 3))),
       false, k.is_again, 1
FROM   purchase AS b
       JOIN kind AS k ON k.pastime = b.pastime AND NOT k.is_lead
       JOIN product_stretch AS p ON p.kind_id = k.id AND p.style = b.style AND p.purse = b.purse,
       LATERAL (SELECT pg_temp.draw('mate', b.customer_id, b.product_id, k.id) AS luck) AS l
WHERE  b.is_lead AND b.nth = 1 AND luck >= p.low AND luck < p.high
  AND  pg_temp.draw('come back', b.customer_id, b.product_id, k.id) < 0.45
  AND  NOT EXISTS (SELECT FROM purchase AS o WHERE o.customer_id = b.customer_id AND o.kind_id = k.id);

-- ... and those who like the beans buy them again, about every five weeks.
INSERT INTO purchase
SELECT b.customer_id, b.product_id, b.kind_id, b.style, b.purse, b.device, b.pastime,
       b.bought_at + interval '1 day' * (35 * n + floor(20 * pg_temp.draw('refill', b.customer_id, b.product_id, n)) - 10),
       false, false, n + 1
FROM   purchase AS b, generate_series(1, floor(5 * power(pg_temp.draw('loyalty', b.customer_id, b.product_id), 2))::int) AS n
WHERE  b.is_again AND b.nth = 1;

CREATE TABLE shop.events (
    customer_id bigint NOT NULL REFERENCES shop.customers,
    product_id  int NOT NULL REFERENCES shop.products,
    kind        text NOT NULL CHECK (kind IN ('view', 'cart', 'purchase', 'return')),
    at          timestamptz NOT NULL,
    device      text NOT NULL
);

-- trending: new products, and two that were in the papers this week
CREATE TEMP TABLE talk AS
SELECT a.id AS product_id, p.added_at AS since, a.pastime, 25 + floor(60 * pg_temp.draw('talk', a.id))::int AS callers
FROM   assortment AS a JOIN shop.products AS p USING (id)
WHERE  p.added_at > shop.closing_time() - interval '7 days'
UNION ALL
(SELECT a.id, shop.closing_time() - interval '4 days', a.pastime, 60
 FROM   assortment AS a JOIN shop.products AS p USING (id)
 WHERE  p.added_at < shop.closing_time() - interval '60 days' AND a.season = 'summer' AND a.place BETWEEN 3 AND 5
 ORDER  BY pg_temp.draw('papers', a.id) LIMIT 2);

CREATE TEMP TABLE caller AS
SELECT t.product_id, w.customer_id, w.device,
       date_trunc('second', t.since + (shop.closing_time() - interval '20 minutes' - t.since)
                                      * pg_temp.draw('caller', t.product_id, w.customer_id)) AS at
FROM   talk AS t,
       LATERAL (SELECT s.customer_id, 'phone' AS device
                FROM   taste AS s
                WHERE  t.pastime = ANY (s.pastimes) AND NOT s.is_passer_by
                ORDER  BY pg_temp.draw('gossip', t.product_id, s.customer_id) LIMIT t.callers) AS w;

INSERT INTO shop.events (customer_id, product_id, kind, at, device)
SELECT e.customer_id, e.product_id, e.kind, e.at, e.device
FROM  (
    -- of those who looked, some bought
    SELECT customer_id, product_id, 'view' AS kind, seen_at AS at, device FROM look
    UNION ALL
    SELECT customer_id, product_id, 'cart', seen_at + interval '35 seconds', device
    FROM   look WHERE look_no = looks AND decision BETWEEN 0.33 AND 0.5 AND NOT is_passer_by
    UNION ALL
    SELECT customer_id, product_id, 'cart', bought_at - interval '5 minutes', device FROM purchase
    UNION ALL
    SELECT customer_id, product_id, 'purchase', bought_at, device FROM purchase
    UNION ALL
    -- and sent it back within a fortnight
    SELECT customer_id, product_id, 'return', bought_at + interval '1 second' * floor(1123200 * (0.25 + 0.75 * pg_temp.draw('back', customer_id, product_id))), device
    FROM   purchase
    WHERE  nth = 1 AND NOT is_again AND pg_temp.draw('return', customer_id, product_id) < 0.055
    UNION ALL
    SELECT customer_id, product_id, 'view', at, device FROM caller
    UNION ALL
    SELECT customer_id, product_id, 'cart', at + interval '1 minute', device FROM caller WHERE pg_temp.draw('caller''s cart', product_id, customer_id) < 0.4
    UNION ALL
    SELECT customer_id, product_id, 'purchase', at + interval '4 minutes', device FROM caller WHERE pg_temp.draw('caller''s cart', product_id, customer_id) < 0.25
) AS e
JOIN shop.products AS p ON p.id = e.product_id
WHERE  e.at > p.added_at AND e.at < shop.closing_time()
ORDER  BY e.at, e.customer_id, e.product_id, e.kind;

CREATE INDEX products_added_at_idx ON shop.products (added_at);
CREATE INDEX events_customer_id_at_idx ON shop.events (customer_id, at);

DROP TABLE brand, finish, kind, demand, assortment, pastime, taste, kind_stretch, product_stretch, visit, step, look,
           purchase, talk, caller;
DROP FUNCTION pg_temp.draw;

ANALYZE shop.products, shop.customers, shop.events;
RESET client_min_messages;
