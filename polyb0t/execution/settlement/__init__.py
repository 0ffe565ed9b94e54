"""From a resolved market to money in the account: claims, stored before they are sent."""
