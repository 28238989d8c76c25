//! A local stand-in for Auto Scaling, EC2, CloudWatch and STS over a living fleet.
