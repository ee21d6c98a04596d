-- The epoch that a device's counter is in, beside its state: the usual uplink, whose counter is above all before, is decided by
-- the row that is locked for it anyway. In `device_epochs` that epoch's highest counter is the one it had when it was opened or
-- another epoch became the current one.
ALTER TABLE device_states
    ADD epoch        int,
    ADD reference    text,
    ADD highest_fcnt bigint,
    ADD highest_at   timestamptz,
    ADD is_restart   boolean NOT NULL DEFAULT false, -- the reference had epochs before
    ADD CHECK (epoch IS NULL OR (reference IS NOT NULL AND highest_fcnt IS NOT NULL));
