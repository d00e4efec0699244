"""The device agent: carries out commands on a printer PC, PDA or kiosk and reports what became of them."""
