"""SQL that is built of values, and SQL that is not."""

COLUMNS = "id, name"


def bad(cursor, request, name, session):
    # ruleid: prd301-string-built-sql
    cursor.execute(f"SELECT id FROM users WHERE name = '{name}'")
    # ruleid: prd301-string-built-sql
    cursor.execute("SELECT id FROM users WHERE name = '%s'" % name)
    # ruleid: prd301-string-built-sql
    cursor.execute("SELECT id FROM users WHERE name = '{}'".format(name))
    # ruleid: prd301-string-built-sql
    cursor.execute("DELETE FROM users WHERE name = '" + name + "'")
    # ruleid: prd301-string-built-sql
    Order.objects.raw("SELECT * FROM orders WHERE state = '%s'" % request.GET["state"])
    # ruleid: prd301-string-built-sql
    statement = f"UPDATE users SET name = '{name}'"
    cursor.execute(statement)


def ok(cursor, redis, name, count, ids, log):
    # ok: prd301-string-built-sql
    cursor.execute("SELECT id FROM users WHERE name = ?", (name,))
    # ok: prd301-string-built-sql
    cursor.execute("SELECT id FROM users WHERE name = %s", [name])
    # ok: prd301-string-built-sql
    cursor.execute(f"SELECT {COLUMNS} FROM users WHERE name = ?", (name,))
    # ok: prd301-string-built-sql
    cursor.execute(f"SELECT id FROM users LIMIT {int(count)}")
    # ok: prd301-string-built-sql
    cursor.execute("SELECT id FROM users " + "WHERE active")
    placeholders = ",".join("?" * len(ids))
    # ok: prd301-string-built-sql
    cursor.execute(f"SELECT id FROM users WHERE id IN ({placeholders})", ids)
    # ok: prd301-string-built-sql
    redis.execute(f"GET {name}")
    # ok: prd301-string-built-sql
    log.info(f"select one of {name} from the list")
    # ok: prd301-string-built-sql
    pool.execute(f"Please select one of {name}")
