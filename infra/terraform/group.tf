# A group that the controller looks after, for those who keep theirs in Terraform. What matters is `lifecycle`: a plan
# would otherwise set capacity and instance type back to what they were when it was written.

variable "name" {
  type        = string
  description = "Name of the group; for the controller's parameter GroupNames."
}

variable "launch_template_id" {
  type        = string
  description = "Launch template, with detailed monitoring on."
}

variable "launch_template_version" {
  type        = string
  description = "A number. With $Latest or $Default AWS cannot roll a type change back, and it is made without a way back."
  validation {
    condition     = can(regex("^[0-9]+$", var.launch_template_version))
    error_message = "Name the launch template's version by its number."
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets, in zones that offer the types of the ladder. EC2 is not asked: a type that fails to launch, or leaves a zone empty, is gone back from and left out for a while."
}

variable "min_size" {
  type    = number
  default = 2
}

variable "max_size" {
  type    = number
  default = 10
}

variable "warm_up_seconds" {
  type        = number
  default     = 120
  description = "Time from the launch of an instance until it serves at full speed."
}

resource "aws_autoscaling_group" "managed" {
  name                    = var.name
  min_size                = var.min_size
  max_size                = var.max_size
  vpc_zone_identifier     = var.subnet_ids
  default_instance_warmup = var.warm_up_seconds
  enabled_metrics         = ["GroupInServiceInstances", "GroupDesiredCapacity"]

  # Terraform has no capacity to wait for: the controller decides on it.
  wait_for_capacity_timeout = "0"

  launch_template {
    id      = var.launch_template_id
    version = var.launch_template_version
  }

  # The controller's permissions end at groups without this tag.
  tag {
    key                 = "scaling:managed"
    value               = "true"
    propagate_at_launch = false
  }

  lifecycle {
    ignore_changes = [
      # Every scaling changes it.
      desired_capacity,
      # A type change makes a mixed-instances policy of the launch template. To roll a new version of the template out,
      # take these two lines out for one apply, while the controller is paused.
      launch_template,
      mixed_instances_policy,
    ]
  }
}
