"""Pea soup: what does a friend in the kitchen bring? A recipe as a graph, with the time that each step takes."""

import manyhands as mh

MINUTE, HOUR = 60, 3600


@mh.task(cost=1 * MINUTE)
def boil(*into_the_pan):
    return set(into_the_pan)


@mh.task(cost=1 * HOUR)
def skim_and_simmer(pan):
    return pan


@mh.task(cost=15 * MINUTE)
def clean_and_chop(*vegetables):
    return set(vegetables)


@mh.task(cost=20 * MINUTE)
def simmer_together(pan, vegetables):
    return (pan - {"bay leaf"}) | vegetables


@mh.task(cost=24 * HOUR)
def leave(soup):
    return soup


@mh.task(cost=10 * MINUTE)
def reheat_and_season(soup):
    return soup | {"smoked sausage", "pepper", "salt"}


pan = skim_and_simmer(boil("water", "split peas", "bay leaf"))
vegetables = clean_and_chop("leek", "celeriac", "onion", "carrot", "potato")
cooked = simmer_together(pan, vegetables)
soup = reheat_and_season(leave(cooked))

# The day in which nobody may touch the soup hides all else: so first the kitchen, up to when it is left alone.
kitchen = cooked.explain(workers=[1, 2])
print(kitchen)
print()
whole = soup.explain(workers=[1, 2])
print(whole)
print()
print(soup.mermaid())

# A step holds its cook here until it is done. One cook who chops while the pot simmers alone is as fast as two are: no
# number of cooks is faster than the span.
assert kitchen.reach[2] == kitchen.span
saved = kitchen.reach[1] - kitchen.reach[2]
assert saved == whole.reach[1] - whole.reach[2] == 15 * MINUTE

# And it can be eaten.
served = soup.compute(workers=2)
assert served >= {"split peas", "carrot", "salt"} and "bay leaf" not in served
print(
    f"with a friend it is {kitchen.reach[2] / MINUTE:.0f} minutes in the kitchen instead of "
    f"{kitchen.reach[1] / MINUTE:.0f}; until it is eaten, {saved / whole.reach[1]:.1%} sooner"
)
