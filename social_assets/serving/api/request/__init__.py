"""What a request says: parameters, cursors, and the accounts that its key may see."""
