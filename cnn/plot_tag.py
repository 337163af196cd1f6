"""The tag by which a plot of this program is known, so that none is read as a digit."""

# What a plot names as its software, in a text chunk of the PNG file.
PLOT_SOFTWARE = "cnn plot"
