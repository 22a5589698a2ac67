#!/bin/sh
# The front page, what it loads, the shop that it leads to, and the figures that it shows.
set -eu
reach() { # PATH WORDS
    curl -fsS --max-time 10 "${SHOP_URL%/}$1" | grep -q "$2" || {
        echo "$1 does not say $2"
        exit 1
    }
    echo "front: $1 is there"
}
reach / 'href="/shop"'
reach /shop.css button
reach /shop.js /api/orders
reach /shop 'action="/shop/orders"'
reach /api/orders '"placed"'
