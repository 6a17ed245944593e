BEGIN TRANSACTION;
CREATE TABLE days (
	account VARCHAR(63) NOT NULL,
	day VARCHAR(10) NOT NULL,
	start_equity VARCHAR(40) NOT NULL,
	peak_equity VARCHAR(40) NOT NULL,
	PRIMARY KEY (account, day)
);
INSERT INTO "days" VALUES('main','2026-01-01','10000','10010.5');
CREATE TABLE decisions (sequence INTEGER NOT NULL PRIMARY KEY, time FLOAT NOT NULL, account VARCHAR(63) NOT NULL, symbol VARCHAR(32) NOT NULL, side VARCHAR(4) NOT NULL, quantity VARCHAR(40) NOT NULL, reduce_only BOOLEAN NOT NULL, reason VARCHAR(64) NOT NULL, details VARCHAR NOT NULL);
INSERT INTO "decisions" VALUES(1,1767225600.2,'main','BTCUSDT','BUY','0.001',0,'','{}');
INSERT INTO "decisions" VALUES(2,1767225700.0,'paper','BTCUSDT','SELL','0.003',1,'LeverageExceeded','{"leverage": "2", "limit": "1"}');
CREATE TABLE denials (
	sequence INTEGER NOT NULL,
	account VARCHAR(63) NOT NULL,
	symbol VARCHAR(32) NOT NULL,
	side VARCHAR(4) NOT NULL,
	quantity VARCHAR(40) NOT NULL,
	reason VARCHAR(64) NOT NULL,
	details VARCHAR NOT NULL,
	first_time FLOAT NOT NULL,
	last_time FLOAT NOT NULL,
	times INTEGER NOT NULL,
	PRIMARY KEY (sequence)
);
INSERT INTO "denials" VALUES(1,'main','XRPUSDT','BUY','10','GateClosed','{}',1767225664.0,1767225900.0,4);
CREATE TABLE emergency_stops (
	sequence INTEGER NOT NULL,
	scope VARCHAR(63) NOT NULL,
	"trigger" VARCHAR(32) NOT NULL,
	details VARCHAR NOT NULL,
	time FLOAT NOT NULL,
	released_time FLOAT,
	released_by VARCHAR,
	cause VARCHAR,
	PRIMARY KEY (sequence)
);
INSERT INTO "emergency_stops" VALUES(1,'paper','daily_drawdown','account=paper',1767225665.0,NULL,NULL,NULL);
CREATE TABLE fills (
	sequence INTEGER NOT NULL,
	account VARCHAR(63) NOT NULL,
	symbol VARCHAR(32) NOT NULL,
	client_order_id VARCHAR(36),
	signed_quantity VARCHAR(40) NOT NULL,
	price VARCHAR(60) NOT NULL,
	time FLOAT NOT NULL,
	PRIMARY KEY (sequence)
);
INSERT INTO "fills" VALUES(1,'main','BTCUSDT','gl-5f2c1a-2b4220-00000001','0.001','45109.6',1767225600.75);
INSERT INTO "fills" VALUES(2,'main','SOLUSDT',NULL,'-1.5','180.25',1767225663.0);
CREATE TABLE gate_changes (
	sequence INTEGER NOT NULL,
	time FLOAT NOT NULL,
	state VARCHAR(16) NOT NULL,
	reason VARCHAR(64) NOT NULL,
	uid VARCHAR(64) NOT NULL,
	epoch INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	PRIMARY KEY (sequence)
);
INSERT INTO "gate_changes" VALUES(1,1767225601.0,'Open','Open','7d6a6a4e-0c1c-4f0e-9a44-3b8a4b5f1c11',3,41);
CREATE TABLE journal_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT journal_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "journal_version" VALUES('0002');
CREATE TABLE meta (
	"key" VARCHAR NOT NULL,
	value VARCHAR,
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('identity','2b4220');
INSERT INTO "meta" VALUES('capital:main','10000');
CREATE TABLE order_changes (sequence INTEGER NOT NULL PRIMARY KEY, client_order_id VARCHAR(36) NOT NULL, time FLOAT, state VARCHAR(16) NOT NULL, filled VARCHAR(40) NOT NULL, average_price VARCHAR(60) NOT NULL, reason VARCHAR NOT NULL);
INSERT INTO "order_changes" VALUES(1,'gl-5f2c1a-2b4220-00000001',NULL,'filled','0.001','45109.6','');
INSERT INTO "order_changes" VALUES(2,'gl-5f2c1a-2b4220-00000002',NULL,'unknown','0','0','timeout');
INSERT INTO "order_changes" VALUES(3,'gl-77b0e3-2b4220-00000003',NULL,'refused','0','0','-2022 ReduceOnly Order is rejected.');
INSERT INTO "order_changes" VALUES(4,'gl-5f2c1a-2b4220-00000002',1767225690.0,'unknown','0','0','timeout again');
CREATE TABLE orders (
	sequence INTEGER NOT NULL,
	client_order_id VARCHAR(36) NOT NULL,
	account VARCHAR(63) NOT NULL,
	symbol VARCHAR(32) NOT NULL,
	side VARCHAR(4) NOT NULL,
	quantity VARCHAR(40) NOT NULL,
	reduce_only BOOLEAN NOT NULL,
	created FLOAT NOT NULL,
	state VARCHAR(16) NOT NULL,
	filled VARCHAR(40) NOT NULL,
	average_price VARCHAR(60) NOT NULL,
	reason VARCHAR NOT NULL,
	PRIMARY KEY (sequence),
	UNIQUE (client_order_id)
);
INSERT INTO "orders" VALUES(1,'gl-5f2c1a-2b4220-00000001','main','BTCUSDT','BUY','0.001',0,1767225600.25,'filled','0.001','45109.6','');
INSERT INTO "orders" VALUES(2,'gl-5f2c1a-2b4220-00000002','main','ETHUSDT','SELL','0.02',0,1767225661.5,'unknown','0','0','timeout');
INSERT INTO "orders" VALUES(3,'gl-77b0e3-2b4220-00000003','paper','BTCUSDT','SELL','0.003',1,1767225662.0,'refused','0','0','-2022 ReduceOnly Order is rejected.');
CREATE INDEX ix_orders_state ON orders (state);
CREATE INDEX ix_orders_account ON orders (account);
CREATE INDEX ix_fills_account ON fills (account);
CREATE INDEX ix_order_changes_client_order_id ON order_changes (client_order_id);
CREATE INDEX ix_decisions_account ON decisions (account);
CREATE TRIGGER fills_no_update BEFORE UPDATE ON fills BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE TRIGGER fills_no_delete BEFORE DELETE ON fills BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE TRIGGER order_changes_no_update BEFORE UPDATE ON order_changes BEGIN SELECT RAISE(ABORT, 'order_changes is append-only'); END;
CREATE TRIGGER order_changes_no_delete BEFORE DELETE ON order_changes BEGIN SELECT RAISE(ABORT, 'order_changes is append-only'); END;
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;
COMMIT;
