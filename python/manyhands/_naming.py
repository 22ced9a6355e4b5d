"""What items are called in messages."""


class Naming:
    """Base of what answers the native side about items: it may know them by other names than "item n"."""

    name_of = None
    #: Whether answers are pairs, of a time and the user's own value.
    timed = False

    def naming(self, name_of):
        """The same for a job whose items have names: `name_of(index)`."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, name_of=name_of)
        return other

    def name(self, index):
        """The item's name, None where it has none."""
        return None if self.name_of is None or index is None else self.name_of(index)

    def called(self, index, item=None):
        """What the item is called in a message."""
        name = self.name(index)
        if name is not None:
            return name
        from ._failures import brief

        return f"item {index}" if item is None else f"item {index} ({brief(item)})"
