-- A database of schema version 1 as this program wrote it; loaded by test_database.py. Never changed.
CREATE TABLE session (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created TEXT NOT NULL,
        updated TEXT NOT NULL,
        deleted TEXT
    );
CREATE INDEX session_listed ON session(updated) WHERE deleted IS NULL;
CREATE INDEX session_deleted ON session(deleted) WHERE deleted IS NOT NULL;
CREATE TABLE turn (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES session(key) ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('streaming', 'complete', 'cancelled', 'failed', 'interrupted')),
        started TEXT NOT NULL,
        ended TEXT,
        tokens INTEGER NOT NULL DEFAULT 0,
        timings TEXT
    );
CREATE INDEX turn_of_session ON turn(session);
CREATE INDEX turn_open ON turn(state) WHERE state = 'streaming';
CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES session(key) ON DELETE CASCADE,
        turn INTEGER REFERENCES turn(id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
        content TEXT NOT NULL,
        created TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('streaming', 'complete', 'cancelled', 'failed', 'interrupted')),
        fault TEXT
    );
CREATE INDEX message_of_session ON message(session);
CREATE INDEX message_of_turn ON message(turn) WHERE turn IS NOT NULL;
CREATE VIRTUAL TABLE search USING fts5(terms, tokenize = "ascii tokenchars '_'");
INSERT INTO session (key, id, title, created, updated, deleted) VALUES (1, '0000000000000001', '서울 날씨는 어때요?', '2026-01-02T03:04:06.000Z', '2026-01-02T03:04:08.000Z', NULL);
INSERT INTO session (key, id, title, created, updated, deleted) VALUES (2, '0000000000000002', '회의 준비', '2026-01-02T03:04:09.000Z', '2026-01-02T03:04:12.000Z', NULL);
INSERT INTO session (key, id, title, created, updated, deleted) VALUES (3, '0000000000000003', '지운 대화', '2026-01-02T03:04:13.000Z', '2026-01-02T03:04:13.000Z', '2026-01-02T03:04:14.000Z');
INSERT INTO session (key, id, title, created, updated, deleted) VALUES (4, '0000000000000004', 'Imported', '2026-01-02T03:04:15.000Z', '2026-01-02T03:04:15.000Z', NULL);
INSERT INTO turn (id, session, state, started, ended, tokens, timings) VALUES (1, 1, 'complete', '2026-01-02T03:04:07.000Z', '2026-01-02T03:04:08.000Z', 3, NULL);
INSERT INTO turn (id, session, state, started, ended, tokens, timings) VALUES (2, 2, 'failed', '2026-01-02T03:04:10.000Z', '2026-01-02T03:04:11.000Z', 0, NULL);
INSERT INTO turn (id, session, state, started, ended, tokens, timings) VALUES (3, 2, 'streaming', '2026-01-02T03:04:12.000Z', NULL, 0, NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (1, 1, 1, 'user', '서울 날씨는 어때요?', '2026-01-02T03:04:07.000Z', 'complete', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (2, 1, 1, 'assistant', '맑습니다.', '2026-01-02T03:04:07.000Z', 'complete', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (3, 2, 2, 'user', 'Summarise the meeting', '2026-01-02T03:04:10.000Z', 'complete', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (4, 2, 2, 'assistant', '', '2026-01-02T03:04:10.000Z', 'failed', '{"code":"database_disk_full","message":{"en":"The disk is full; x could not be written.","ko":"디스크가 가득 차서 x에 저장하지 못했습니다."},"hint":{"en":"Free some space and try again. What was stored before is safe.","ko":"공간을 확보한 뒤 다시 시도해 주세요. 이전에 저장한 내용은 안전합니다."},"exit_code":1}');
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (5, 2, 3, 'user', '생일 선물은?', '2026-01-02T03:04:12.000Z', 'complete', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (6, 2, 3, 'assistant', '책이', '2026-01-02T03:04:12.000Z', 'streaming', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (7, 4, NULL, 'user', 'hello', '2026-01-02T03:04:15.000Z', 'complete', NULL);
INSERT INTO message (id, session, turn, role, content, created, state, fault) VALUES (8, 4, NULL, 'assistant', 'hi there', '2026-01-02T03:04:15.000Z', 'complete', NULL);
INSERT INTO search (rowid, terms) VALUES (10, '_c0dd _c0dd_c77c _c77c _c120 _c120_bb3c _bb3c _bb3c_c740 _c740');
INSERT INTO search (rowid, terms) VALUES (14, 'hello');
INSERT INTO search (rowid, terms) VALUES (16, 'hi there');
INSERT INTO search (rowid, terms) VALUES (2, '_c11c _c11c_c6b8 _c6b8 _b0a0 _b0a0_c528 _c528 _c528_b294 _b294 _c5b4 _c5b4_b54c _b54c _b54c_c694 _c694');
INSERT INTO search (rowid, terms) VALUES (3, '_c11c _c11c_c6b8 _c6b8 _b0a0 _b0a0_c528 _c528 _c528_b294 _b294 _c5b4 _c5b4_b54c _b54c _b54c_c694 _c694');
INSERT INTO search (rowid, terms) VALUES (4, '_b9d1 _b9d1_c2b5 _c2b5 _c2b5_b2c8 _b2c8 _b2c8_b2e4 _b2e4');
INSERT INTO search (rowid, terms) VALUES (5, '_d68c _d68c_c758 _c758 _c900 _c900_be44 _be44');
INSERT INTO search (rowid, terms) VALUES (6, 'summarise the meeting');
INSERT INTO search (rowid, terms) VALUES (7, '_c9c0 _c9c0_c6b4 _c6b4 _b300 _b300_d654 _d654');
INSERT INTO search (rowid, terms) VALUES (8, '');
INSERT INTO search (rowid, terms) VALUES (9, 'imported');
PRAGMA user_version = 1;
