"""The steps, named by their order. Each goes one way: a newer Quoth upgrades the database, an older one refuses it."""
