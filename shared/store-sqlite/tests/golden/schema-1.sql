CREATE TABLE turns (
    key TEXT PRIMARY KEY,
    v INTEGER NOT NULL,
    state TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    segments_sent INTEGER NOT NULL,
    sending INTEGER,
    keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_by_age ON turns (keep_until);

CREATE TABLE exchanges (
    conversation TEXT NOT NULL,
    at INTEGER NOT NULL,
    turn TEXT NOT NULL,
    v INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (conversation, at, turn)
) STRICT;
CREATE INDEX exchanges_by_age ON exchanges (keep_until);

CREATE TABLE tokens (
    platform TEXT NOT NULL,
    bot TEXT NOT NULL,
    slot TEXT NOT NULL,
    v INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (platform, bot, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    v INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    dedup TEXT NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL,
    due INTEGER NOT NULL,
    in_work INTEGER NOT NULL,
    head INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_by_conversation ON queue (conversation, id);
CREATE INDEX queue_heads ON queue (id) WHERE head = 1;

CREATE TABLE queue_seen (
    dedup TEXT PRIMARY KEY,
    first_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_seen_by_age ON queue_seen (first_at);

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    v INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    dedup TEXT NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL,
    buried_at INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_age ON dead_letters (buried_at);

INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'held', 3, 5000, 1000, 1, 1, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1, 'free', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('0000000000000000000000000000000000000000000000000000000000000000', 1, 'done', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('1111111111111111111111111111111111111111111111111111111111111111', 1, 'parked-no-answer', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('2222222222222222222222222222222222222222222222222222222222222222', 1, 'parked-send-refused', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('3333333333333333333333333333333333333333333333333333333333333333', 1, 'parked-send-uncertain', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO turns (key, v, state, fence, lease_until, accepted_at, segments_sent, sending, keep_until) VALUES ('4444444444444444444444444444444444444444444444444444444444444444', 1, 'parked-tries-exhausted', 1, 0, 1000, 0, NULL, 900000);
INSERT INTO exchanges (conversation, at, turn, v, kind, sealed, keep_until) VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1000, '0000000000000000000000000000000000000000000000000000000000000000', 1, 'answer', x'0102', 900000);
INSERT INTO exchanges (conversation, at, turn, v, kind, sealed, keep_until) VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1001, '1111111111111111111111111111111111111111111111111111111111111111', 1, 'notice', x'0102', 900000);
INSERT INTO exchanges (conversation, at, turn, v, kind, sealed, keep_until) VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1002, '2222222222222222222222222222222222222222222222222222222222222222', 1, 'reset', x'0102', 900000);
INSERT INTO exchanges (conversation, at, turn, v, kind, sealed, keep_until) VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1003, '3333333333333333333333333333333333333333333333333333333333333333', 1, 'answer', x'0102', 900000);
INSERT INTO tokens (platform, bot, slot, v, sealed, ends_at) VALUES ('feishu', 'bot', 'access', 1, x'0304', 900000);
INSERT INTO tokens (platform, bot, slot, v, sealed, ends_at) VALUES ('feishu', 'bot', 'identity', 1, x'0506', 900000);
INSERT INTO queue (v, conversation, dedup, body, tries, due, in_work, head) VALUES (1, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'sealed', 1, 0, 0, 1);
INSERT INTO queue_seen (dedup, first_at) VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1000);
INSERT INTO dead_letters (v, conversation, dedup, body, tries, buried_at) VALUES (1, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '3333333333333333333333333333333333333333333333333333333333333333', 'sealed too', 4, 2000);
PRAGMA user_version = 1;
