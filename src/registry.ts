// Plugins: one published method each, built in or a stranger's file, registered the same way.
