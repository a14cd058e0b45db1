"""Reference documents whose styles Word and PowerPoint reports take, and the script behind them."""
