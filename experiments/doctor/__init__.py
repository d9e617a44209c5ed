"""What Tandem needs of a machine and a checkout: `tandem doctor`. Nothing in here changes anything."""
