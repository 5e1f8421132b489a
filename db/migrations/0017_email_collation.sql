-- An email is compared in lower case of ASCII, whatever the database's collation: with the collation tr-TR the lower
-- case of I is not i, so the same address could be registered twice. Both indexes are built again. Callers pass the
-- address that they look for in lower case.
alter table customers alter column email type text collate "C";
alter statistics customers_emails set statistics 500;
