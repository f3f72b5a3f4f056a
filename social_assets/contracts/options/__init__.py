"""What a contract may say beside its columns: formats of files, arrays, times."""
