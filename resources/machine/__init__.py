"""What a process asks the machine: room on disks, holders of ports."""
