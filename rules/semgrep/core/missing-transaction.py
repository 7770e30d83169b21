"""Writes that belong together."""


def order(user, items):
    # ruleid: prd302-missing-transaction
    order = Order.objects.create(user=user)
    AuditEntry.objects.create(what="order")


def lines(order, items):
    # ruleid: prd302-missing-transaction
    for item in items:
        OrderLine.objects.create(order=order, item=item)


def replace(order, items):
    # ruleid: prd302-missing-transaction
    OrderLine.objects.filter(order=order).delete()
    OrderLine.objects.bulk_create(items)


def order_kept(user, items):
    with transaction.atomic():
        # ok: prd302-missing-transaction
        order = Order.objects.create(user=user)
        OrderLine.objects.create(order=order)


@transaction.atomic
def order_decorated(user, items):
    # ok: prd302-missing-transaction
    order = Order.objects.create(user=user)
    OrderLine.objects.create(order=order)


@transaction.atomic(using="orders")
def order_elsewhere(user, items):
    for item in items:
        # ok: prd302-missing-transaction
        OrderLine.objects.create(order=user, item=item)


def one(user):
    # ok: prd302-missing-transaction
    return Order.objects.create(user=user)


def all_at_once(items):
    # ok: prd302-missing-transaction
    OrderLine.objects.bulk_create(OrderLine(item=item) for item in items)


def read(user):
    # ok: prd302-missing-transaction
    return [order.total for order in Order.objects.filter(user=user)]
