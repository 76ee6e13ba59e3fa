-- A ledger of schema version 1, as the Hydra of its time wrote it: eight orders, each with
-- another end, and an engine that did not say that it stopped. It is never to be changed.
PRAGMA application_id = 1213811761;
PRAGMA user_version = 1;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    state BLOB,
    link BLOB NOT NULL
) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY,
    bot TEXT NOT NULL,
    symbol TEXT NOT NULL,
    session TEXT NOT NULL,
    signal INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('entry', 'exit')),
    content_hash TEXT NOT NULL,
    intended_seq INTEGER NOT NULL REFERENCES events,
    attempted_at INTEGER,
    status TEXT NOT NULL CHECK (status IN (
        'intended', 'attempted', 'withheld', 'unknown', 'accepted', 'partially_filled',
        'rejected', 'expired', 'canceled', 'filled'
    )),
    reason TEXT NOT NULL,
    venue_order_id TEXT,
    filled_quantity TEXT NOT NULL,
    UNIQUE (bot, symbol, session, signal, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE fills (
    client_order_id TEXT NOT NULL REFERENCES orders,
    execution_id TEXT NOT NULL,
    bot TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity TEXT NOT NULL,
    price TEXT NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES events,
    PRIMARY KEY (client_order_id, execution_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE inventories (
    bot TEXT NOT NULL,
    symbol TEXT NOT NULL,
    position TEXT NOT NULL,
    lots BLOB NOT NULL,
    PRIMARY KEY (bot, symbol)
) STRICT, WITHOUT ROWID;
CREATE TABLE sub_ledgers (
    bot TEXT PRIMARY KEY,
    cash TEXT NOT NULL,
    realised TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (
    bot TEXT NOT NULL,
    session TEXT NOT NULL,
    entries INTEGER NOT NULL,
    exits INTEGER NOT NULL,
    rejections INTEGER NOT NULL,
    fills INTEGER NOT NULL,
    round_trips INTEGER NOT NULL,
    realised TEXT NOT NULL,
    PRIMARY KEY (bot, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE budgets (
    bot TEXT NOT NULL,
    session TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (bot, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE halts (
    code TEXT PRIMARY KEY,
    cause_class TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO events VALUES (1, 1704205800000000000, 1, 'LedgerBegun', CAST('{"type":"LedgerBegun","venue":"paper"}' AS BLOB), X'8edaaf392b5b60f8b3f12ab19543c2fcf4b9cacebae7aea72c7b5e599427caed', X'7730aae68aa9ae2ecbd013bc8e7db749d893d22cb204610c1ef4af4b71629e82');
INSERT INTO events VALUES (2, 1704205800000000000, 1, 'AccountBound', CAST('{"type":"AccountBound","account":"PA-1"}' AS BLOB), NULL, X'35d4d702c0edfc0038993099f79128b8c1fc178fdb8ee671d74e974582ae38f4');
INSERT INTO events VALUES (3, 1704205800000000000, 1, 'EngineStarted', CAST('{"type":"EngineStarted","version":"0.1.0","configuration":"digest of the settings"}' AS BLOB), X'ae7721a0adfe02daa67ce31684a859f7c6b2d3e754e605b608ff38fa9e94ae98', X'45f3706d340f6de6c4b6874b9ee518935010a859fca4ad1afd8eb9416d02486b');
INSERT INTO events VALUES (4, 1704205800000000000, 1, 'BudgetGranted', CAST('{"type":"BudgetGranted","bot":"momentum","session":"2024-01-02","amount":"12500.50"}' AS BLOB), NULL, X'1a9e261c70d3ae0165209985a165764abdfadae210bdd04045bb49cccc8a5ef3');
INSERT INTO events VALUES (5, 1704205800000000000, 1, 'ValuePut', CAST('{"type":"ValuePut","key":"watermark","value":"2024-01-02 1"}' AS BLOB), X'3d9e8071150ed32386f23dfde869a32bd83d552bfbb57c0f11337bd2607bca89', X'1f832265bb20f334b82ddb086dbdd58029138d183574810b4c7e042cef11d77d');
INSERT INTO events VALUES (6, 1704205800000000001, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"momentum","symbol":"AAPL","session":"2024-01-02","signal":1,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-ec9e466f314aa289-e","symbol":"AAPL","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'861365d8fbdd798c5bbf92a1c898c8efb7476fd977c41cd6565b40d98b63ca6f');
INSERT INTO events VALUES (7, 1704205800000000001, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-ec9e466f314aa289-e"}' AS BLOB), X'562ec57b737741ebcfaf41007bfb96f91bf72052faf84d7a2712be0b38a72079', X'405c8ff0d208bea51397e7bfcf53578a5b4bf6b95d2b143438e11c4ac5cbbfec');
INSERT INTO events VALUES (8, 1704205800000000001, 1, 'OrderAccepted', CAST('{"type":"OrderAccepted","client_order_id":"hy1-20240102-ec9e466f314aa289-e","venue_order_id":"venue-1","at":1704205800000000000}' AS BLOB), NULL, X'01daa44317b1f34ef2defd22adda98f4a82879d02816cc7a972f8b19cb004a9c');
INSERT INTO events VALUES (9, 1704205800000000001, 1, 'OrderFilled', CAST('{"type":"OrderFilled","fill":{"execution_id":"x-1-1","client_order_id":"hy1-20240102-ec9e466f314aa289-e","symbol":"AAPL","side":"buy","quantity":"4","price":"187.30","at":1704205800000000000}}' AS BLOB), NULL, X'1ee7925adbfd712bf62dee64d9f23da42cdd59048ba2f5f7b1ddb1b0ffb3beac');
INSERT INTO events VALUES (10, 1704205800000000001, 1, 'OrderFilled', CAST('{"type":"OrderFilled","fill":{"execution_id":"x-1-2","client_order_id":"hy1-20240102-ec9e466f314aa289-e","symbol":"AAPL","side":"buy","quantity":"6","price":"187.31","at":1704205800000000000}}' AS BLOB), X'1b50f8a439a4114936c14b832164ee3400c7058d7efac6f9372a7f7cc149298b', X'b32b56c7d83e400cbb154834ff2ffcbf49ce3fe7330099228dddca2f64e7d3dd');
INSERT INTO events VALUES (11, 1704205800000000002, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"momentum","symbol":"AAPL","session":"2024-01-02","signal":2,"role":"exit"},"side":"sell","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-3b28c2fa215e3d70-x","symbol":"AAPL","side":"sell","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'bc15dcf4e6fa4031c1dbf2fc620be5a14a66681f4b2c69c2c143654b628260be');
INSERT INTO events VALUES (12, 1704205800000000002, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-3b28c2fa215e3d70-x"}' AS BLOB), X'dea532b3fc01c9ccf5d95f29249a3ddc7a965ee365090fc8996515425f8c63ba', X'a73b65b087e816a1477adb9242ad6f56f1f1297ca2e4f4b2eb4b8b010319c51f');
INSERT INTO events VALUES (13, 1704205800000000002, 1, 'OrderAccepted', CAST('{"type":"OrderAccepted","client_order_id":"hy1-20240102-3b28c2fa215e3d70-x","venue_order_id":"venue-2","at":1704205800000000000}' AS BLOB), NULL, X'3adb187d69529fc237f0bc95d7811283c64e3c4b41162dea3fad5cdccd267b3b');
INSERT INTO events VALUES (14, 1704205800000000002, 1, 'OrderFilled', CAST('{"type":"OrderFilled","fill":{"execution_id":"x-2-1","client_order_id":"hy1-20240102-3b28c2fa215e3d70-x","symbol":"AAPL","side":"sell","quantity":"3","price":"188.00","at":1704205800000000000}}' AS BLOB), X'36ea408d22dd5959876887b1d5ade9b4be25bdce3194aa44ac6ca3f8fd7fa5ec', X'6d2e9d89233bafe14cd7dcf654a2028bbccd7c82da4f6477cff69c13823ead5d');
INSERT INTO events VALUES (15, 1704205800000000003, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"reversal","symbol":"MSFT","session":"2024-01-02","signal":3,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-4a9d506ba4fface0-e","symbol":"MSFT","side":"buy","quantity":"10","order_type":"limit","time_in_force":"day","limit_price":"410.05","stop_price":null}}' AS BLOB), NULL, X'da2448df50dc4b229a430be215137fdc35dd4663eaa493c7d15c9cb35e5f2b81');
INSERT INTO events VALUES (16, 1704205800000000003, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-4a9d506ba4fface0-e"}' AS BLOB), X'b8b7e47f2cc49924a74db4424ba692de98a0303a3812f167482d6cc88cbde98f', X'46faa66ff44a13f6c22afc31f43fc11499c0b0656722b5e7ba0ad533dd04e481');
INSERT INTO events VALUES (17, 1704205800000000003, 1, 'OrderRejected', CAST('{"type":"OrderRejected","client_order_id":"hy1-20240102-4a9d506ba4fface0-e","reason":"not shortable","at":1704205800000000000}' AS BLOB), X'26f75f691c973285ba1bfeebe5e02f2b035336b5256232086cd5b28e87d7cabc', X'9ba8facc38c4ca74da4e7f927eab3e937f15ed686c5e952386c3a7e4cff277cf');
INSERT INTO events VALUES (18, 1704205800000000004, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"momentum","symbol":"AAPL","session":"2024-01-02","signal":4,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-c2af50d1a51a50ea-e","symbol":"AAPL","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'3420483795abe5caae7bf365f8ca80f93755fa874dce285781d6aa1937a60ce9');
INSERT INTO events VALUES (19, 1704205800000000004, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-c2af50d1a51a50ea-e"}' AS BLOB), X'af8a878fbdd78a86cc00f237f61cddb6ce789b91d9185bc5cd24416f9c095b54', X'59b59531af4745a61bfe7dbe5bf42e77b8ea3e676742ff606c4d6695100eeede');
INSERT INTO events VALUES (20, 1704205800000000004, 1, 'OrderWithheld', CAST('{"type":"OrderWithheld","client_order_id":"hy1-20240102-c2af50d1a51a50ea-e","reason":"gate shut","at":1704205800000000000}' AS BLOB), X'dff3b4ffbdf1bd3e0c5d4c20c801ead4697ebbfe243af50d551f8d6ac3868c57', X'86c35132a0f3d5242bede445a13bad00dc12b9e9250b9c34abdc46fc98389d03');
INSERT INTO events VALUES (21, 1704205800000000005, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"reversal","symbol":"MSFT","session":"2024-01-02","signal":5,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-c964a9a831d1d04f-e","symbol":"MSFT","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'eb0c9a393826704acc007eced598e37aa1b674b4eb8ffd194cb2d4ad13136dd0');
INSERT INTO events VALUES (22, 1704205800000000005, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-c964a9a831d1d04f-e"}' AS BLOB), X'ed85789f671e9bb9e8bbf7d9b35e2ae20e2133a14da67ff870b46be667086b84', X'512f9d5cc5333db5c828d1fc7b3659cd9bb6e82f2f2c5093a52f7ec1ca703603');
INSERT INTO events VALUES (23, 1704205800000000005, 1, 'OrderUnknown', CAST('{"type":"OrderUnknown","client_order_id":"hy1-20240102-c964a9a831d1d04f-e","reason":"no answer in 15 s","at":1704205800000000000}' AS BLOB), X'28c1385dea50c6f6df2f808b7564cf7a8e3b7847431b669e26867c363deb7f9e', X'469f7b7c5f0f799be333d043b3bf3600c155dc125dd1d4f7a7fb5ce6849dd356');
INSERT INTO events VALUES (24, 1704205800000000006, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"momentum","symbol":"AAPL","session":"2024-01-02","signal":6,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-e9759547afcff736-e","symbol":"AAPL","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'770b364e01a58b07cba86dbca7bc1bd562546243a047ced66308d10b10f95f8f');
INSERT INTO events VALUES (25, 1704205800000000006, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-e9759547afcff736-e"}' AS BLOB), X'fd0be7ebf829bb93dcddd8156ebf64b1b79cff04b4fb5b12f7d3fc81ff5b6aa2', X'd6525f5b68f41aaa4ae263f50a1127116c949643c0b36dbca2f317c8806ec489');
INSERT INTO events VALUES (26, 1704205800000000006, 1, 'OrderAccepted', CAST('{"type":"OrderAccepted","client_order_id":"hy1-20240102-e9759547afcff736-e","venue_order_id":"venue-6","at":1704205800000000000}' AS BLOB), NULL, X'4a5dc78d0637f016dc412001c124d3b938b4a2491ba7ba898ad46e05c4d450ea');
INSERT INTO events VALUES (27, 1704205800000000006, 1, 'OrderCanceled', CAST('{"type":"OrderCanceled","client_order_id":"hy1-20240102-e9759547afcff736-e","at":1704205800000000000}' AS BLOB), X'e68701d7a6735a8870333232c186e94c8897b69f9bb0c1955d3f789814c76963', X'254b95cbbcc6b9ec8d47f4cac203b03624d6b3360c985724e1b06c9d8ff29833');
INSERT INTO events VALUES (28, 1704205800000000007, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"reversal","symbol":"MSFT","session":"2024-01-02","signal":7,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-e63d78746c3be095-e","symbol":"MSFT","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'4369d565340870280f850da2b447b433d876575cef5dfff200de4769dece8343');
INSERT INTO events VALUES (29, 1704205800000000007, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-e63d78746c3be095-e"}' AS BLOB), X'fad82561b6f2e36e4b54dcebb61a63dc025398a9b6148f9045322b53556619f7', X'724eafd543b941eca006770b8cc212a94d2637cbd47cfec051ae37a4419ecb50');
INSERT INTO events VALUES (30, 1704205800000000007, 1, 'OrderAccepted', CAST('{"type":"OrderAccepted","client_order_id":"hy1-20240102-e63d78746c3be095-e","venue_order_id":"venue-7","at":1704205800000000000}' AS BLOB), NULL, X'042b24ec624141894673bc7427f337e070fd64a3b1c14a95f02e5d3c637a3f41');
INSERT INTO events VALUES (31, 1704205800000000007, 1, 'OrderExpired', CAST('{"type":"OrderExpired","client_order_id":"hy1-20240102-e63d78746c3be095-e","at":1704205800000000000}' AS BLOB), X'7e33ecc32eefca571ccb88b3cae915556b652d584057bf3b748ae0e37208bd20', X'223a9642aba2e0fcc7f63530b5ec4f95d3a12d4a5d2ecd9372671f509bf3a6b9');
INSERT INTO events VALUES (32, 1704205800000000008, 1, 'OrderIntended', CAST('{"type":"OrderIntended","intent":{"type":"OrderIntent","decision":{"bot":"momentum","symbol":"AAPL","session":"2024-01-02","signal":8,"role":"entry"},"side":"buy","quantity":"10","reason":"crossed up","decided_at":1704205800000000000,"reference_price":"187.25","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null},"order":{"client_order_id":"hy1-20240102-a8483189ac03630c-e","symbol":"AAPL","side":"buy","quantity":"10","order_type":"market","time_in_force":"day","limit_price":null,"stop_price":null}}' AS BLOB), NULL, X'a032d3fbc50a9ab6018bf5048285c0c1f667c7f6a18f8b012c2d2261c1c16d5c');
INSERT INTO events VALUES (33, 1704205800000000008, 1, 'OrderAttempted', CAST('{"type":"OrderAttempted","client_order_id":"hy1-20240102-a8483189ac03630c-e"}' AS BLOB), X'8a5c2e0562264cc6cdf52ea49fc74f30cf807acde0ad028d58e51b61404002ae', X'aa87718aa2b885a0ca9a88c272da7fe19781face067dccb56df2ed5b05fd2139');
INSERT INTO events VALUES (34, 1704205800000000000, 1, 'HaltLatched', CAST('{"type":"HaltLatched","cause":{"code":"daily_loss","cause_class":"limit","state":"close_only","since":1704205800000000000,"detail":"3.1 % lost, at most 3 % allowed"}}' AS BLOB), NULL, X'7507f1d39e453fee44b76c31e7c9fbf6f6587406d22efbf980fdd49eded266b6');
INSERT INTO events VALUES (35, 1704205800000000000, 1, 'HaltLatched', CAST('{"type":"HaltLatched","cause":{"code":"feed_silent","cause_class":"limit","state":"close_only","since":1704205800000000000,"detail":"17 s"}}' AS BLOB), NULL, X'9e2a783c2a4f34eccbba913360bf75f5b8ba8bb0a872ebdd45c57f467bc882c1');
INSERT INTO events VALUES (36, 1704205800000000000, 1, 'HaltCleared', CAST('{"type":"HaltCleared","code":"feed_silent","reason":"it speaks again"}' AS BLOB), NULL, X'9c71e47277f1f0f1c0a5eb9208da0832a1ee231d55beb9592d14d6e903b5c641');
INSERT INTO events VALUES (37, 1704205800000000000, 1, 'JournalMarked', CAST('{"type":"JournalMarked","seq":7}' AS BLOB), X'db2bbd1a0ee352be6037de34f66fd29a35c16243e8f23d8c8a52c8b00c48c364', X'97c6b3c9190bdf573272bb243622aa91032cdc7389e5936e9445efdac1a2cffd');
INSERT INTO facts VALUES ('account', 'PA-1');
INSERT INTO facts VALUES ('configuration', 'digest of the settings');
INSERT INTO facts VALUES ('engine', '0.1.0');
INSERT INTO facts VALUES ('journal_seq', '7');
INSERT INTO facts VALUES ('running', 'yes');
INSERT INTO facts VALUES ('venue', 'paper');
INSERT INTO orders VALUES ('hy1-20240102-3b28c2fa215e3d70-x', 'momentum', 'AAPL', '2024-01-02', 2, 'exit', 'f2fd839cdf02b0ae48fa60944d15d6f4', 11, 1704205800000000002, 'partially_filled', '', 'venue-2', '3');
INSERT INTO orders VALUES ('hy1-20240102-4a9d506ba4fface0-e', 'reversal', 'MSFT', '2024-01-02', 3, 'entry', 'fdc3465f870b25ab917cadff0069ebdb', 15, 1704205800000000003, 'rejected', 'not shortable', NULL, '0');
INSERT INTO orders VALUES ('hy1-20240102-a8483189ac03630c-e', 'momentum', 'AAPL', '2024-01-02', 8, 'entry', '061e2197d6060bdb914e1d3f85169d6d', 32, 1704205800000000008, 'attempted', '', NULL, '0');
INSERT INTO orders VALUES ('hy1-20240102-c2af50d1a51a50ea-e', 'momentum', 'AAPL', '2024-01-02', 4, 'entry', 'fa745cefc9dfebb697296fd487f12988', 18, 1704205800000000004, 'withheld', 'gate shut', NULL, '0');
INSERT INTO orders VALUES ('hy1-20240102-c964a9a831d1d04f-e', 'reversal', 'MSFT', '2024-01-02', 5, 'entry', '4705deb35e59e912c999c47c20e579f3', 21, 1704205800000000005, 'unknown', 'no answer in 15 s', NULL, '0');
INSERT INTO orders VALUES ('hy1-20240102-e63d78746c3be095-e', 'reversal', 'MSFT', '2024-01-02', 7, 'entry', '06f6d064b50f909d536238e2b743c4f0', 28, 1704205800000000007, 'expired', '', 'venue-7', '0');
INSERT INTO orders VALUES ('hy1-20240102-e9759547afcff736-e', 'momentum', 'AAPL', '2024-01-02', 6, 'entry', '95392f1fed2e1a660c4a9ad6e526fb67', 24, 1704205800000000006, 'canceled', '', 'venue-6', '0');
INSERT INTO orders VALUES ('hy1-20240102-ec9e466f314aa289-e', 'momentum', 'AAPL', '2024-01-02', 1, 'entry', '1b4eebcac6c9c4f29e1e26061a8ff52e', 6, 1704205800000000001, 'filled', '', 'venue-1', '10');
INSERT INTO fills VALUES ('hy1-20240102-3b28c2fa215e3d70-x', 'x-2-1', 'momentum', 'AAPL', 'sell', '3', '188.00', 1704205800000000000, 14);
INSERT INTO fills VALUES ('hy1-20240102-ec9e466f314aa289-e', 'x-1-1', 'momentum', 'AAPL', 'buy', '4', '187.30', 1704205800000000000, 9);
INSERT INTO fills VALUES ('hy1-20240102-ec9e466f314aa289-e', 'x-1-2', 'momentum', 'AAPL', 'buy', '6', '187.31', 1704205800000000000, 10);
INSERT INTO inventories VALUES ('momentum', 'AAPL', '7', CAST('[{"side":"buy","quantity":"1","price":"187.30","opened_at":1704205800000000000,"execution_id":"x-1-1"},{"side":"buy","quantity":"6","price":"187.31","opened_at":1704205800000000000,"execution_id":"x-1-2"}]' AS BLOB));
INSERT INTO sub_ledgers VALUES ('momentum', '-1309.06', '2.10');
INSERT INTO counters VALUES ('momentum', '2024-01-02', 4, 1, 0, 3, 0, '2.10');
INSERT INTO counters VALUES ('reversal', '2024-01-02', 3, 0, 1, 0, 0, '0');
INSERT INTO budgets VALUES ('momentum', '2024-01-02', '12500.50');
INSERT INTO halts VALUES ('daily_loss', 'limit', 'close_only', 1704205800000000000, '3.1 % lost, at most 3 % allowed');
INSERT INTO kv VALUES ('watermark', '2024-01-02 1');
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER orders_keep_their_content BEFORE UPDATE OF
    client_order_id, bot, symbol, session, signal, role, content_hash, intended_seq
ON orders
BEGIN SELECT RAISE(ABORT, 'an order keeps its content'); END;
CREATE TRIGGER orders_are_not_deleted BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders are not deleted'); END;
CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END;
CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'fills are append-only'); END;
