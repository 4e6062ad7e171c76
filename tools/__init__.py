"""Tools of the developers: reference pages, set-up."""
