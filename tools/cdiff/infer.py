# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The type of a C expression, where it can be told from declarations."""

from __future__ import annotations

from tree_sitter import Node

from tools.cdiff.ctype import BOOL, INT, STRING, UNKNOWN, CType, Types, base_type, declared, text_of

# Macros with the type of their first argument, and those with a pointer to the type named second.
SAME = frozenset(
    "READ_ONCE WRITE_ONCE rcu_dereference rcu_dereference_check rcu_dereference_protected "
    "rcu_dereference_raw rcu_access_pointer rcu_replace_pointer rcu_pointer_handoff likely "
    "unlikely data_race ACCESS_PRIVATE max min clamp max_t min_t list_next_entry list_prev_entry "
    "rcu_dereference_raw_check".split()
)
SAME_POINTER = frozenset(
    "smp_load_acquire cmpxchg xchg xchg_release cmpxchg_relaxed cmpxchg_release "
    "atomic_long_xchg".split()
)
OF_TYPE = frozenset(
    "container_of list_entry list_first_entry list_last_entry list_first_entry_or_null "
    "list_last_entry_or_null rb_entry rb_entry_safe llist_entry hlist_entry "
    "list_entry_rcu container_of_const".split()
)
_KNOWN = {
    "current": CType("task_struct", 1, True),
    "jiffies": CType("unsigned long"),
    "to_kthread": CType("kthread", 1, True),
    "ERR_PTR": CType("void", 1),
    "ERR_CAST": CType("void", 1),
    "PTR_ERR": INT,
}
_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">=", "&&", "||"))


class Inference:
    """Types of the expressions of one function."""

    def __init__(self, types: Types, env: dict[str, CType]) -> None:
        self.types = types
        self.env = env

    def of(self, node: Node | None) -> CType:
        """The type of an expression, typedefs resolved; UNKNOWN if it cannot be told."""
        if node is None:
            return UNKNOWN
        method = getattr(self, f"_{node.type}", None)
        return self.types.resolve(method(node)) if method is not None else UNKNOWN

    def pointer(self, node: Node) -> bool | None:
        """Whether an expression is a pointer; None if nobody knows."""
        kind = self.of(node)
        if not kind.known:
            return None
        return kind.ptr > 0 or kind.base == "()"

    def _identifier(self, node: Node) -> CType:
        name = text_of(node)
        for table in (self.env, _KNOWN, self.types.objects):
            if name in table:
                return table[name]
        if name in self.types.functions:
            return CType("()", 1, returns=self.types.functions[name])
        return INT if name in self.types.numbers or name.isupper() else UNKNOWN

    def _field_expression(self, node: Node) -> CType:
        kind = self.of(node.child_by_field_name("argument"))
        return self.types.member(kind, text_of(node.child_by_field_name("field")))

    def _call_expression(self, node: Node) -> CType:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        name = text_of(function)
        if name in SAME and given:
            return self.of(given[0] if name not in ("max_t", "min_t") else given[1])
        if name in SAME_POINTER and given:
            return self.of(given[0]).target()
        if name in OF_TYPE and len(given) > 1:
            return CType(text_of(given[1]).split()[-1], 1, True)
        if name in _KNOWN:
            return _KNOWN[name]
        if name in self.types.functions:
            return self.types.functions[name]
        kind = self.of(function)
        return kind.returns or UNKNOWN

    def _pointer_expression(self, node: Node) -> CType:
        kind = self.of(node.child_by_field_name("argument"))
        if not kind.known:
            return CType("?", 1) if text_of(node).startswith("&") else UNKNOWN
        return kind.pointer() if text_of(node).startswith("&") else kind.target()

    def _subscript_expression(self, node: Node) -> CType:
        return self.of(node.child_by_field_name("argument")).target()

    def _cast_expression(self, node: Node) -> CType:
        descriptor = node.child_by_field_name("type")
        if descriptor is None:
            return UNKNOWN
        kind = base_type(descriptor.child_by_field_name("type"))
        declarator = descriptor.child_by_field_name("declarator")
        return declared(declarator, kind)[1] if declarator is not None else kind

    def _parenthesized_expression(self, node: Node) -> CType:
        return self.of(node.named_children[0]) if node.named_child_count else UNKNOWN

    def _binary_expression(self, node: Node) -> CType:
        if text_of(node.child_by_field_name("operator")) in _COMPARISONS:
            return BOOL
        left = self.of(node.child_by_field_name("left"))
        right = self.of(node.child_by_field_name("right"))
        return right if right.ptr else left if left.known else right

    def _unary_expression(self, node: Node) -> CType:
        if text_of(node.child_by_field_name("operator")) == "!":
            return BOOL
        return self.of(node.child_by_field_name("argument"))

    def _conditional_expression(self, node: Node) -> CType:
        kinds = [
            self.of(node.child_by_field_name(name))
            for name in ("consequence", "alternative", "condition")
            if node.child_by_field_name(name) is not None
        ]
        return next((kind for kind in kinds if kind.ptr), kinds[0])

    def _assignment_expression(self, node: Node) -> CType:
        return self.of(node.child_by_field_name("left"))

    def _update_expression(self, node: Node) -> CType:
        return self.of(node.child_by_field_name("argument"))

    def _number_literal(self, node: Node) -> CType:
        return INT

    def _sizeof_expression(self, node: Node) -> CType:
        return INT

    def _true(self, node: Node) -> CType:
        return BOOL

    _false = _true

    def _null(self, node: Node) -> CType:
        return CType("void", 1)

    def _string_literal(self, node: Node) -> CType:
        return STRING

    _concatenated_string = _string_literal
