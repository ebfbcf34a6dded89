"""What tests of the portal share: databases, one portal to drive, and reports made by hand."""
