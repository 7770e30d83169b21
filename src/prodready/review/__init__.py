"""The review bot: what a change brings, as comments on its lines. Client libraries are imported where they are used."""
