-- Of devices with a space alone. While a tenant's devices are few in the planner's eyes (a thousand may just have been imported), an
-- index of all of them is as good as the one on their EUIs or owners, and then every device is read to find one.
DROP INDEX devices_space;
CREATE UNIQUE INDEX devices_space ON devices (tenant_id, space_id) WHERE deleted_at IS NULL AND space_id IS NOT NULL;
